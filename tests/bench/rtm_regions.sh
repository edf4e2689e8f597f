#!/usr/bin/env bash
# What a user would write today, after what the vendor's script does: one region after the other, with `aws cloudformation`.
# Unlike that script it waits for each stack, and fails if one fails. It looks each second itself: `aws cloudformation wait` looks every 30 s.
# It has none of what the module does: no account check, no look at the rule, every stack that is there is updated.
#
# usage: rtm_regions.sh REGION...
# Environment: AWS_*
set -euo pipefail

readonly stack=CloudConformityMonitoring
readonly template=https://s3-us-west-2.amazonaws.com/cloud-conformity-public-us-west-2/monitoring/event-bus-template.yml
services=(s3 ec2 elasticloadbalancing autoscaling cloudformation iam dynamodb rds lambda cloudfront organizations config guardduty cloudtrail
  route53domains kms route53 sts ecs securityhub signin macie)
printf -v sources '\\,aws.%s' "${services[@]}"

stack_status() {
  aws cloudformation describe-stacks --region "$1" --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text 2>&1
}

# Create or update the stack of a region, and wait until CloudFormation has finished.
install() {
  local region=$1 operation=$2 status
  aws cloudformation "$operation" --region "$region" --stack-name "$stack" --template-url "$template" --output text \
    --parameters ParameterKey=CloudConformityAccountId,ParameterValue=717210094962 "ParameterKey=EventBusSources,ParameterValue=${sources#\\,}" \
    --tags Key=Version,Value=6 "Key=LastUpdatedTime,Value=$(date +%F)" > /dev/null
  while status=$(stack_status "$region"); [[ $status == *_IN_PROGRESS ]]; do sleep 1; done
  echo "$region: $status"
  [[ $status == CREATE_COMPLETE || $status == UPDATE_COMPLETE ]]
}

for region in "$@"; do
  if answer=$(stack_status "$region"); then
    install "$region" update-stack
  elif [[ $answer == *"does not exist"* ]]; then
    install "$region" create-stack
  elif [[ $answer == *InvalidClientTokenId* ]]; then
    echo "$region: not enabled"
  else
    echo "$region: $answer"
    exit 1
  fi
done
