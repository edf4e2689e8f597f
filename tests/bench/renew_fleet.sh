#!/usr/bin/env bash
# What a user would write today: the vendor's seven steps for each appliance, 25 at a time, with curl, aws and ssh.
# It has none of the safety of the collection: no check before it unregisters, no record, no clean-up after a failure.
#
# usage: renew_fleet.sh INSTANCE_IDS_FILE
# Environment: CLOUDONE_API_KEY, CLOUDONE_NETSEC_URL, AWS_*; SSH_CONFIG (knows each instance id, key and bastion), SOURCE_CIDR.
set -uo pipefail

api() {
  curl --silent --show-error --fail -H "Authorization: ApiKey $CLOUDONE_API_KEY" -H "api-version: v1" -H "Content-Type: application/json" "$@"
}

find_appliance() {
  api -X POST "$CLOUDONE_NETSEC_URL/appliances/search" \
    -d '{"searchCriteria":[{"fieldName":"instanceId","stringTest":"equal","stringValue":"'"$1"'"}]}' | jq -r '.appliances[0].ID // empty'
}

renew() {
  local instance_id=$1 id group token
  id=$(find_appliance "$instance_id")
  api -X DELETE "$CLOUDONE_NETSEC_URL/appliances/$id"

  # shellcheck disable=SC2016  # the backticks are the query's
  read -r group < <(aws ec2 describe-instances --instance-ids "$instance_id" --output text \
    --query 'Reservations[].Instances[].NetworkInterfaces[?Description==`Network Security Mgmt Port`][].[Groups[0].GroupId]')
  aws ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr "$SOURCE_CIDR" > /dev/null

  token=$(api -X POST "$CLOUDONE_NETSEC_URL/deploymenttokens" -d '{}' | jq -r .token)
  # shellcheck disable=SC2087  # the token is this side's
  ssh -F "$SSH_CONFIG" -tt "$instance_id" > /dev/null <<END
cloudone unregister
cloudone register $token
exit
END
  until id=$(find_appliance "$instance_id"); [ -n "$id" ]; do sleep 2; done
  api -X POST "$CLOUDONE_NETSEC_URL/appliancedistributions" -d '{"applianceId":'"$id"',"type":"profile","profile":{"id":1}}' > /dev/null

  aws ec2 revoke-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr "$SOURCE_CIDR" > /dev/null
}

export -f api find_appliance renew
xargs --arg-file "$1" --max-procs 25 --replace bash -c 'renew {}'
