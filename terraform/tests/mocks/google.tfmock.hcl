# What the service itself would fill in, where the module builds on it. There is no Google Cloud in these tests.
mock_data "google_project" {
  defaults = { number = "123456789012" }
}

mock_data "google_container_cluster" {
  defaults = {
    workload_identity_config = [{ workload_pool = "fx-features.svc.id.goog" }]
    cost_management_config   = [{ enabled = true }]
  }
}

mock_resource "google_service_account" {
  defaults = {
    name   = "projects/fx-features/serviceAccounts/account@fx-features.iam.gserviceaccount.com"
    email  = "account@fx-features.iam.gserviceaccount.com"
    member = "serviceAccount:account@fx-features.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.nodes
  values = {
    email  = "nodes@fx-features.iam.gserviceaccount.com"
    member = "serviceAccount:nodes@fx-features.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.builder
  values = {
    email  = "builder@fx-features.iam.gserviceaccount.com"
    member = "serviceAccount:builder@fx-features.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.controller
  values = {
    email  = "controller@fx-features.iam.gserviceaccount.com"
    member = "serviceAccount:controller@fx-features.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.worker
  values = {
    name   = "projects/fx-features/serviceAccounts/worker@fx-features.iam.gserviceaccount.com"
    email  = "worker@fx-features.iam.gserviceaccount.com"
    member = "serviceAccount:worker@fx-features.iam.gserviceaccount.com"
  }
}
