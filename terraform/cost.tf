# What is paid while nothing runs. Registry (about $0.10 a GB, of which there is a fraction), service accounts, roles, the
# network, the jobs' definitions and the budget cost nothing or cents; they are not in the price list and not in the sum.
locals {
  prices = yamldecode(file("${path.module}/../prices/google-us-central1.yaml"))

  hours_a_month = 730
  # A pair's 668 tables have about 12 GB; an output holds the same column chunks, copied.
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
