mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project = "fx-features"
}

run "kubernetes_alone" {
  assert {
    condition     = toset(keys(google_project_service.api)) == toset(["artifactregistry.googleapis.com", "iam.googleapis.com", "storage.googleapis.com", "compute.googleapis.com", "container.googleapis.com", "iamcredentials.googleapis.com"])
    error_message = "services: ${jsonencode(keys(google_project_service.api))}"
  }
  assert {
    condition     = google_container_cluster.cluster[0].enable_autopilot && google_container_cluster.cluster[0].cost_management_config[0].enabled && google_container_cluster.cluster[0].private_cluster_config[0].enable_private_nodes
    error_message = "the cluster is not Autopilot with cost allocation and private nodes"
  }
  assert {
    condition     = google_container_cluster.cluster[0].control_plane_endpoints_config[0].ip_endpoints_config[0].enabled == false && google_container_cluster.cluster[0].deletion_protection
    error_message = "the control plane answers at an address, or is not protected"
  }
  assert {
    condition     = google_container_cluster.cluster[0].cluster_autoscaling[0].auto_provisioning_defaults[0].service_account == "nodes@fx-features.iam.gserviceaccount.com"
    error_message = "nodes act as the project's default account"
  }
  assert {
    condition     = length(google_cloud_run_v2_job.controller) + length(google_cloud_run_v2_job.worker) + length(google_service_account.controller) + length(google_service_account.worker) + length(google_project_iam_custom_role.launcher) + length(google_billing_budget.project) == 0
    error_message = "something of Cloud Run, or a budget, is made"
  }
  assert {
    condition = output.kubernetes == {
      cluster            = "widemerge"
      location           = "us-central1"
      context            = "gke_fx-features_us-central1_widemerge"
      namespace          = "widemerge"
      controller_account = "controller"
      worker_account     = "worker"
      dns_endpoint       = true
    }
    error_message = "output kubernetes: ${jsonencode(output.kubernetes)}"
  }
  assert {
    condition     = [output.project, output.region, output.bucket, output.input, output.output, output.repository] == ["fx-features", "us-central1", "fx-features-widemerge", "gs://fx-features-widemerge/checkpoints", "gs://fx-features-widemerge/training", "us-central1-docker.pkg.dev/fx-features/widemerge"]
    error_message = "outputs: ${jsonencode([output.project, output.region, output.bucket, output.input, output.output, output.repository])}"
  }
  assert {
    condition     = output.cloudrun == null && output.image == null
    error_message = "outputs of Cloud Run without Cloud Run"
  }
  # The README has this sum too.
  assert {
    condition     = output.monthly_cost_at_rest == "$85.96 a month: bucket $12.96 (27 pairs, 648 GB), cluster $73.00; list prices of us-central1, 2026-11-21"
    error_message = "cost at rest: ${output.monthly_cost_at_rest}"
  }
}

run "rights" {
  assert {
    condition = { for key, grant in google_storage_bucket_iam_member.reader : key => [grant.role, grant.member] } == {
      kubernetes-controller = ["roles/storage.objectViewer", "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/fx-features.svc.id.goog/subject/ns/widemerge/sa/controller"]
      kubernetes-worker     = ["roles/storage.objectViewer", "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/fx-features.svc.id.goog/subject/ns/widemerge/sa/worker"]
    }
    error_message = "readers: ${jsonencode(google_storage_bucket_iam_member.reader)}"
  }
  assert {
    condition = { for key, grant in google_storage_bucket_iam_member.writer : key => grant.condition[0].expression } == {
      kubernetes-controller = "resource.name.startsWith(\"projects/_/buckets/fx-features-widemerge/objects/training/runs/\") || resource.name.startsWith(\"projects/_/buckets/fx-features-widemerge/objects/training/.scratch/\")"
      kubernetes-worker     = "resource.name.startsWith(\"projects/_/buckets/fx-features-widemerge/objects/training/\")"
    }
    error_message = "writers: ${jsonencode(google_storage_bucket_iam_member.writer)}"
  }
  assert {
    condition     = google_project_iam_custom_role.writer.permissions == toset(["storage.objects.create", "storage.objects.delete"]) && google_storage_bucket_iam_member.writer["kubernetes-worker"].role == google_project_iam_custom_role.writer.name
    error_message = "writers may do more than create and delete objects"
  }
  assert {
    condition     = { for key, grant in google_artifact_registry_repository_iam_member.reader : key => grant.member } == { nodes = "serviceAccount:nodes@fx-features.iam.gserviceaccount.com" }
    error_message = "readers of images: ${jsonencode(google_artifact_registry_repository_iam_member.reader)}"
  }
}

run "builder" {
  assert {
    condition     = google_artifact_registry_repository_iam_member.builder.role == "roles/artifactregistry.writer" && google_artifact_registry_repository_iam_member.builder.member == "serviceAccount:builder@fx-features.iam.gserviceaccount.com" && google_project_iam_member.builder.role == "roles/logging.logWriter"
    error_message = "the builder does not push and log, or does more"
  }
  assert {
    condition     = google_storage_bucket_iam_member.builder.role == "roles/storage.objectViewer" && google_storage_bucket_iam_member.builder.condition[0].expression == "resource.name.startsWith(\"projects/_/buckets/fx-features-widemerge/objects/.builds/\")"
    error_message = "the builder reads other things than sources of builds"
  }
  assert {
    condition     = output.builder == { service_account = "builder@fx-features.iam.gserviceaccount.com", sources = "gs://fx-features-widemerge/.builds" }
    error_message = "output builder: ${jsonencode(output.builder)}"
  }
}

run "bucket" {
  assert {
    condition     = google_storage_bucket.data.uniform_bucket_level_access && google_storage_bucket.data.public_access_prevention == "enforced" && !google_storage_bucket.data.force_destroy
    error_message = "the bucket can be opened to everybody, or be destroyed with what it holds"
  }
  assert {
    condition     = google_storage_bucket.data.soft_delete_policy[0].retention_duration_seconds == 0 && google_storage_bucket.data.versioning[0].enabled
    error_message = "the defaults are no soft delete, and versions"
  }
  assert {
    condition = toset([for rule in google_storage_bucket.data.lifecycle_rule : [one(rule.condition).matches_prefix[0], one(rule.condition).age, one(rule.condition).days_since_noncurrent_time]]) == toset([
      ["training/.scratch/", 2, null],
      ["training/.scratch/", null, 0],
      [".builds/", null, 0],
      ["training/", null, 1],
      ["checkpoints/", null, 30],
    ])
    error_message = "lifecycle: ${jsonencode(google_storage_bucket.data.lifecycle_rule)}"
  }
}

run "other_choices" {
  variables {
    region           = "europe-west1"
    bucket           = "fx_data"
    bucket_location  = "EU"
    output_prefix    = "fx/out"
    namespace        = "fx"
    soft_delete_days = 7
    versioning       = false
    scratch_days     = 8
    labels           = { team = "fx" }
    pairs            = ["audusd", "gbpusd"]
  }

  assert {
    condition     = google_storage_bucket.data.location == "EU" && google_storage_bucket.data.soft_delete_policy[0].retention_duration_seconds == 604800 && !google_storage_bucket.data.versioning[0].enabled
    error_message = "the bucket is not as stated"
  }
  assert {
    condition     = [for rule in google_storage_bucket.data.lifecycle_rule : [one(rule.condition).matches_prefix[0], one(rule.condition).age]] == [["fx/out/.scratch/", 8]]
    error_message = "lifecycle: ${jsonencode(google_storage_bucket.data.lifecycle_rule)}"
  }
  assert {
    condition     = strcontains(google_storage_bucket_iam_member.reader["kubernetes-worker"].member, "/subject/ns/fx/sa/worker") && strcontains(google_storage_bucket_iam_member.writer["kubernetes-worker"].condition[0].expression, "\"projects/_/buckets/fx_data/objects/fx/out/\"")
    error_message = "rights do not follow bucket, prefix and namespace"
  }
  assert {
    condition     = google_storage_bucket.data.labels == tomap({ app = "widemerge", team = "fx" }) && google_container_cluster.cluster[0].resource_labels == tomap({ app = "widemerge", team = "fx" })
    error_message = "labels are missing"
  }
  assert {
    condition     = output.repository == "europe-west1-docker.pkg.dev/fx-features/widemerge" && output.output == "gs://fx_data/fx/out" && output.kubernetes.context == "gke_fx-features_europe-west1_widemerge"
    error_message = "outputs do not follow region and bucket"
  }
  assert {
    condition     = output.monthly_cost_at_rest == "$73.96 a month: bucket $0.96 (2 pairs, 48 GB), cluster $73.00; list prices of us-central1, 2026-11-21"
    error_message = "cost at rest: ${output.monthly_cost_at_rest}"
  }
}
