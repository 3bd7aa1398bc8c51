mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project             = "fx-features"
  backends            = ["kubernetes", "cloudrun"]
  image               = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge:0.1.0"
  deletion_protection = false
  budget              = { billing_account = "012345-6789AB-CDEF01", amount_usd = 120, emails = ["fx@example.com"] }
}

run "both_backends" {
  assert {
    condition     = output.kubernetes.cluster == "widemerge" && output.cloudrun.controller_job == "widemerge-controller"
    error_message = "outputs: ${jsonencode([output.kubernetes, output.cloudrun])}"
  }
  assert {
    condition     = toset(keys(google_storage_bucket_iam_member.writer)) == toset(["kubernetes-controller", "kubernetes-worker", "cloudrun-controller", "cloudrun-worker"])
    error_message = "writers: ${jsonencode(keys(google_storage_bucket_iam_member.writer))}"
  }
  assert {
    condition     = toset(keys(google_artifact_registry_repository_iam_member.reader)) == toset(["nodes", "controller"])
    error_message = "readers of images: ${jsonencode(keys(google_artifact_registry_repository_iam_member.reader))}"
  }
  assert {
    condition     = google_container_cluster.cluster[0].deletion_protection == false && google_storage_bucket.data.force_destroy == false
    error_message = "deletion_protection is for the cluster, and not for the bucket"
  }
}

run "budget" {
  assert {
    condition     = google_billing_budget.project[0].amount[0].specified_amount[0].units == "120" && google_billing_budget.project[0].budget_filter[0].projects == toset(["projects/123456789012"])
    error_message = "the budget is not of this amount and project"
  }
  assert {
    condition     = [for rule in google_billing_budget.project[0].threshold_rules : [rule.threshold_percent, rule.spend_basis]] == [[0.5, "CURRENT_SPEND"], [0.9, "CURRENT_SPEND"], [1, "CURRENT_SPEND"], [1, "FORECASTED_SPEND"]]
    error_message = "thresholds: ${jsonencode(google_billing_budget.project[0].threshold_rules)}"
  }
  assert {
    condition     = google_monitoring_notification_channel.email["fx@example.com"].labels == tomap({ email_address = "fx@example.com" }) && length(google_billing_budget.project[0].all_updates_rule[0].monitoring_notification_channels) == 1
    error_message = "nobody is told"
  }
}

run "budget_without_addresses" {
  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount_usd = 20 }
  }

  assert {
    condition     = length(google_monitoring_notification_channel.email) == 0 && length(google_billing_budget.project[0].all_updates_rule) == 0
    error_message = "addresses from nowhere"
  }
}
