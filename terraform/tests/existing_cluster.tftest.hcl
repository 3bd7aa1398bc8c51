mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project          = "fx-features"
  existing_cluster = { name = "batch", location = "us-central1-a" }
}

run "existing_cluster" {
  assert {
    condition     = length(google_container_cluster.cluster) + length(google_compute_network.cluster) + length(google_compute_subnetwork.cluster) + length(google_service_account.nodes) == 0
    error_message = "a cluster is made beside the existing one"
  }
  assert {
    condition = output.kubernetes == {
      cluster            = "batch"
      location           = "us-central1-a"
      context            = "gke_fx-features_us-central1-a_batch"
      namespace          = "widemerge"
      controller_account = "controller"
      worker_account     = "worker"
      dns_endpoint       = false
    }
    error_message = "output kubernetes: ${jsonencode(output.kubernetes)}"
  }
  assert {
    condition     = length(google_storage_bucket_iam_member.writer) == 2 && length(google_artifact_registry_repository_iam_member.reader) == 0
    error_message = "rights are missing, or nodes that nobody named get some"
  }
  assert {
    condition     = strcontains(output.monthly_cost_at_rest, "cluster $0.00")
    error_message = "the existing cluster is paid for twice: ${output.monthly_cost_at_rest}"
  }
}

run "its_nodes_may_pull" {
  variables {
    existing_cluster = { name = "batch", location = "us-central1", node_service_account = "nodes@fx-features.iam.gserviceaccount.com" }
  }

  assert {
    condition     = google_artifact_registry_repository_iam_member.reader["nodes"].member == "serviceAccount:nodes@fx-features.iam.gserviceaccount.com"
    error_message = "the nodes cannot pull"
  }
}

run "without_workload_identity" {
  command = plan

  override_data {
    target = data.google_container_cluster.existing
    values = { workload_identity_config = [] }
  }

  expect_failures = [data.google_container_cluster.existing]
}

run "without_cost_allocation" {
  override_data {
    target = data.google_container_cluster.existing
    values = {
      workload_identity_config = [{ workload_pool = "fx-features.svc.id.goog" }]
      cost_management_config   = [{ enabled = false }]
    }
  }

  expect_failures = [check.cost_allocation]
}
