mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project  = "fx-features"
  backends = ["cloudrun"]
}

run "before_the_image" {
  assert {
    condition     = length(google_cloud_run_v2_job.controller) + length(google_cloud_run_v2_job.worker) == 0
    error_message = "jobs without an image"
  }
  assert {
    condition     = output.cloudrun == { controller_job = null, worker_job = null, worker_service_account = "worker@fx-features.iam.gserviceaccount.com" }
    error_message = "output cloudrun: ${jsonencode(output.cloudrun)}"
  }
  assert {
    condition     = output.kubernetes == null && length(google_container_cluster.cluster) + length(google_compute_network.cluster) + length(google_service_account.nodes) + length(google_project_iam_member.nodes) == 0
    error_message = "something of Kubernetes is made"
  }
  assert {
    condition     = contains(keys(google_project_service.api), "run.googleapis.com") && !contains(keys(google_project_service.api), "container.googleapis.com")
    error_message = "services: ${jsonencode(keys(google_project_service.api))}"
  }
  assert {
    condition     = output.monthly_cost_at_rest == "$12.96 a month: bucket $12.96 (27 pairs, 648 GB), cluster $0.00; list prices of us-central1, 2026-11-21"
    error_message = "cost at rest: ${output.monthly_cost_at_rest}"
  }
}

run "cloudrun_alone" {
  variables {
    image = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge:0.1.0"
  }

  assert {
    condition     = output.cloudrun == { controller_job = "widemerge-controller", worker_job = "widemerge-worker", worker_service_account = "worker@fx-features.iam.gserviceaccount.com" }
    error_message = "output cloudrun: ${jsonencode(output.cloudrun)}"
  }
  assert {
    condition = { for env in google_cloud_run_v2_job.controller[0].template[0].template[0].containers[0].env : env.name => env.value } == {
      WIDEMERGE_BACKEND                   = "cloudrun"
      WIDEMERGE_CONFIG                    = "/opt/widemerge/profiles/27-pairs.yaml"
      WIDEMERGE_INPUT                     = "gs://fx-features-widemerge/checkpoints"
      WIDEMERGE_OUTPUT                    = "gs://fx-features-widemerge/training"
      WIDEMERGE_PAIRS                     = "gbpusd,usdjpy,usdchf,audusd,usdcad,nzdusd,eurgbp,eurjpy,eurchf,euraud,eurcad,eurnzd,gbpjpy,gbpchf,gbpaud,gbpcad,gbpnzd,audjpy,audchf,audcad,audnzd,nzdjpy,nzdchf,nzdcad,cadjpy,cadchf,chfjpy"
      WIDEMERGE_PROJECT                   = "fx-features"
      WIDEMERGE_REGION                    = "us-central1"
      WIDEMERGE_IMAGE                     = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge:0.1.0"
      WIDEMERGE_CLOUD_RUN_SERVICE_ACCOUNT = "worker@fx-features.iam.gserviceaccount.com"
      WIDEMERGE_MEMORY_CEILING            = "2Gi"
      WIDEMERGE_MEMORY_FREE               = "0"
      WIDEMERGE_MEMORY_WARN               = "auto"
    }
    error_message = "the controller's settings: ${jsonencode(google_cloud_run_v2_job.controller[0].template[0].template[0].containers[0].env)}"
  }
  assert {
    condition     = google_cloud_run_v2_job.controller[0].template[0].template[0].service_account == "controller@fx-features.iam.gserviceaccount.com" && google_cloud_run_v2_job.controller[0].template[0].template[0].max_retries == 0
    error_message = "the controller acts as another, or is started again when its run is over"
  }
  assert {
    condition     = google_cloud_run_v2_job.worker[0].template[0].task_count == 27 && google_cloud_run_v2_job.worker[0].template[0].template[0].containers[0].args == tolist(["merge"])
    error_message = "the worker's job has not one task a pair"
  }
  assert {
    condition     = google_cloud_run_v2_job.worker[0].template[0].template[0].service_account == "worker@fx-features.iam.gserviceaccount.com"
    error_message = "the worker acts as another"
  }
}

run "rights" {
  assert {
    condition     = google_project_iam_custom_role.launcher[0].permissions == toset(["run.executions.cancel", "run.executions.get", "run.executions.list", "run.jobs.create", "run.jobs.delete", "run.jobs.get", "run.jobs.run", "run.operations.get", "run.tasks.list"])
    error_message = "launcher: ${jsonencode(google_project_iam_custom_role.launcher[0].permissions)}"
  }
  assert {
    condition     = google_service_account_iam_member.controller_acts_as_worker[0].service_account_id == "projects/fx-features/serviceAccounts/worker@fx-features.iam.gserviceaccount.com" && google_service_account_iam_member.controller_acts_as_worker[0].member == "serviceAccount:controller@fx-features.iam.gserviceaccount.com"
    error_message = "who acts as whom is wrong"
  }
  assert {
    condition     = google_project_iam_member.launcher[0].member == "serviceAccount:controller@fx-features.iam.gserviceaccount.com"
    error_message = "somebody else may launch"
  }
  assert {
    condition = { for key, grant in google_storage_bucket_iam_member.writer : key => grant.member } == {
      cloudrun-controller = "serviceAccount:controller@fx-features.iam.gserviceaccount.com"
      cloudrun-worker     = "serviceAccount:worker@fx-features.iam.gserviceaccount.com"
    }
    error_message = "writers: ${jsonencode(google_storage_bucket_iam_member.writer)}"
  }
  assert {
    condition     = { for key, grant in google_artifact_registry_repository_iam_member.reader : key => grant.member } == { controller = "serviceAccount:controller@fx-features.iam.gserviceaccount.com" }
    error_message = "readers of images: ${jsonencode(google_artifact_registry_repository_iam_member.reader)}"
  }
}

# Cloud Run's table: the fewest virtual CPUs that go with so much memory.
run "half_a_gib" {
  variables {
    image           = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge:0.1.0"
    cloudrun_memory = "512Mi"
    pairs           = ["audusd", "gbpusd"]
  }

  assert {
    condition     = google_cloud_run_v2_job.worker[0].template[0].template[0].containers[0].resources[0].limits == tomap({ cpu = "1", memory = "512Mi" })
    error_message = "limits: ${jsonencode(google_cloud_run_v2_job.worker[0].template[0].template[0].containers[0].resources[0].limits)}"
  }
  assert {
    condition     = google_cloud_run_v2_job.worker[0].template[0].task_count == 2
    error_message = "the worker's job has not one task a pair"
  }
}

run "five_gib" {
  variables {
    image           = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge:0.1.0"
    cloudrun_memory = "5Gi"
  }

  assert {
    condition     = google_cloud_run_v2_job.worker[0].template[0].template[0].containers[0].resources[0].limits == tomap({ cpu = "2", memory = "5Gi" })
    error_message = "limits: ${jsonencode(google_cloud_run_v2_job.worker[0].template[0].template[0].containers[0].resources[0].limits)}"
  }
}

run "all_of_it" {
  variables {
    image           = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    cloudrun_memory = "32Gi"
  }

  assert {
    condition     = google_cloud_run_v2_job.worker[0].template[0].template[0].containers[0].resources[0].limits == tomap({ cpu = "8", memory = "32Gi" })
    error_message = "limits: ${jsonencode(google_cloud_run_v2_job.worker[0].template[0].template[0].containers[0].resources[0].limits)}"
  }
  assert {
    condition     = contains([for env in google_cloud_run_v2_job.worker[0].template[0].template[0].containers[0].env : "${env.name}=${env.value}"], "POLARS_MAX_THREADS=8")
    error_message = "Polars does not know of its CPUs"
  }
}
