#!/usr/bin/env bash
# What a user would write today, after the vendor's documentation: list the appliances, then one request for each, one after the other.
# It has none of what the module does: one page only, nothing read first, nothing read back, no retry, everything posted again in each run.
# Both log types go into one request, which is the fastest way that the documentation allows.
#
# Environment: CLOUDONE_API_KEY, CLOUDONE_NETSEC_URL
set -euo pipefail

readonly log_types='{"logTypes": [
  {"logName": "ipsBlock", "logGroupName": "network-security-block-events", "enable": true},
  {"logName": "ipsAlert", "logGroupName": "network-security-alert-events", "enable": true}]}'

api() {
  curl --silent --show-error --fail -H "Authorization: ApiKey $CLOUDONE_API_KEY" -H "api-version: v1" -H "Content-Type: application/json" "$@"
}

ids=$(api "$CLOUDONE_NETSEC_URL/appliances?limit=1000" | jq -r '.appliances[].ID')
if [ -z "$ids" ]; then
  echo "There is no appliance yet: deploy one first."
  exit
fi
for id in $ids; do
  api -X POST "$CLOUDONE_NETSEC_URL/appliances/$id/cloudwatchlogconfig" -d "$log_types"
done
