locals {
  # The smallest number of virtual CPUs that Cloud Run accepts for each memory size in GiB (src/config/cloudrun.ts).
  memory_gib   = tonumber(trimsuffix(trimsuffix(var.cloudrun_memory, "Mi"), "Gi")) / (endswith(var.cloudrun_memory, "Mi") ? 1024 : 1)
  cloudrun_cpu = local.memory_gib <= 4 ? 1 : local.memory_gib <= 8 ? 2 : local.memory_gib <= 16 ? 4 : local.memory_gib <= 24 ? 6 : 8

  # The profile is for machines with 64 GiB. It requires 40 GiB of free memory at the start and slows down at 45 GiB, so every
  # task would refuse to start. Its diskFree does not matter, because a merge in a bucket writes nothing to a disk.
  settings = {
    WIDEMERGE_CONFIG         = "/opt/widemerge/profiles/27-pairs.yaml"
    WIDEMERGE_INPUT          = local.input
    WIDEMERGE_OUTPUT         = local.output
    WIDEMERGE_PAIRS          = join(",", local.pairs)
    WIDEMERGE_MEMORY_CEILING = var.cloudrun_memory
    WIDEMERGE_MEMORY_FREE    = "0"
    WIDEMERGE_MEMORY_WARN    = "auto"
  }

  controller_settings = merge(local.settings, {
    WIDEMERGE_BACKEND                   = "cloudrun"
    WIDEMERGE_PROJECT                   = var.project
    WIDEMERGE_REGION                    = var.region
    WIDEMERGE_IMAGE                     = var.image
    WIDEMERGE_CLOUD_RUN_SERVICE_ACCOUNT = one(google_service_account.worker[*].email)
  })

  worker_settings = merge(local.settings, {
    POLARS_MAX_THREADS = tostring(local.cloudrun_cpu)
  })
}

# The controller plans, creates one job per launch, retries failed pairs and writes the report:
# gcloud run jobs execute widemerge-controller
resource "google_cloud_run_v2_job" "controller" {
  count = local.make_jobs ? 1 : 0

  project             = var.project
  name                = "widemerge-controller"
  location            = var.region
  labels              = local.labels
  deletion_protection = false # holds nothing

  template {
    task_count = 1
    labels     = local.labels

    template {
      service_account       = google_service_account.controller[0].email
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      timeout               = "86400s" # 24 hours: every try of every pair
      # Cloud Run retries a task whatever its exit code is, so a finished run with failed pairs would start again. To continue
      # the run of a controller that was lost, execute the job again.
      max_retries = 0

      containers {
        name  = "run-all"
        image = var.image
        args  = ["run-all"]

        resources {
          limits = { cpu = "1", memory = "1Gi" }
        }

        dynamic "env" {
          for_each = local.controller_settings
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  lifecycle {
    # gcloud writes the name and version of the client that changed the job last.
    ignore_changes = [client, client_version]
  }

  depends_on = [
    google_project_service.api,
    google_project_iam_member.launcher,
    google_service_account_iam_member.controller_acts_as_worker,
    google_artifact_registry_repository_iam_member.reader,
    google_storage_bucket_iam_member.writer,
    google_storage_bucket_iam_member.reader,
  ]
}

# One task per pair, without a controller: gcloud run jobs execute widemerge-worker
resource "google_cloud_run_v2_job" "worker" {
  count = local.make_jobs ? 1 : 0

  project             = var.project
  name                = "widemerge-worker"
  location            = var.region
  labels              = local.labels
  deletion_protection = false # holds nothing

  template {
    task_count = length(local.pairs)
    labels     = local.labels

    template {
      service_account       = google_service_account.worker[0].email
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      timeout               = "14400s" # taskTimeout of the settings
      max_retries           = 1        # a pair that is done already is left alone

      containers {
        name  = "merge"
        image = var.image
        args  = ["merge"] # CLOUD_RUN_TASK_INDEX chooses among WIDEMERGE_PAIRS

        resources {
          limits = { cpu = tostring(local.cloudrun_cpu), memory = var.cloudrun_memory }
        }

        dynamic "env" {
          for_each = local.worker_settings
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version]
  }

  depends_on = [
    google_project_service.api,
    google_storage_bucket_iam_member.writer,
    google_storage_bucket_iam_member.reader,
  ]
}
