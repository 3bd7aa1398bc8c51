# The cost per month while nothing runs. The registry (about $0.10 per GB, for less than 1 GB), service accounts, roles, the
# network, the job definitions and the budget cost nothing or cents. They are not in the price list and not in the sum.
locals {
  prices = yamldecode(file("${path.module}/../prices/google-us-central1.yaml"))

  hours_a_month = 730
  # The 668 tables of a pair have about 12 GB, and the output contains copies of their column chunks.
  gigabytes_a_pair = 12 + 12
  gigabytes        = length(local.pairs) * local.gigabytes_a_pair

  monthly_bucket  = local.gigabytes * local.prices.prices.storageMonth.usd
  monthly_cluster = local.make_cluster ? local.hours_a_month * local.prices.prices.autopilotCluster.usd : 0
  monthly_text = format(
    "$%.2f a month: bucket $%.2f (%d pairs, %d GB), cluster $%.2f; list prices of %s, %s",
    local.monthly_bucket + local.monthly_cluster, local.monthly_bucket, length(local.pairs), local.gigabytes,
    local.monthly_cluster, local.prices.region, substr(local.prices.date, 0, 10),
  )
}
