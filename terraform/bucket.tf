locals {
  input_folder   = "${var.input_prefix}/"
  output_folder  = "${var.output_prefix}/"
  scratch_folder = "${var.output_prefix}/.scratch/"
  # A few MB for each build by Cloud Build, of no use once the image is there.
  builds_folder = ".builds/"

  # Extraction of the inputs takes 27 hours, so a mistake may be noticed late. An output is merged anew in a minute; scratch
  # is twice as large as the outputs together and worth nothing once a merge is over: it goes when the bucket is next
  # looked through (within a day).
  older_versions = var.versioning ? { (local.input_folder) = 30, (local.output_folder) = 1, (local.scratch_folder) = 0, (local.builds_folder) = 0 } : {}
}

resource "google_storage_bucket" "data" {
  # checkov:skip=CKV_GCP_62: access logs need a second bucket; who read or deleted what is told by the project's data access audit logs, where they are wanted
  project  = var.project
  name     = local.bucket
  location = coalesce(var.bucket_location, var.region)
  labels   = local.labels

  # Rights come from IAM alone, on whole folders; nothing in here can be opened to everybody.
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  # Never: what it holds took days. Empty it by hand where it has to go.
  force_destroy = false

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 3600
  }

  versioning {
    enabled = var.versioning
  }

  # A merge that ends removes its scratch, and the next one of the pair that of a merge that was killed: this is for pairs
  # that are never merged again.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = var.scratch_days
      matches_prefix = [local.scratch_folder, local.builds_folder]
    }
  }

  dynamic "lifecycle_rule" {
    for_each = local.older_versions
    content {
      action {
        type = "Delete"
      }
      condition {
        with_state                              = "ARCHIVED"
        days_since_noncurrent_time              = lifecycle_rule.value
        send_days_since_noncurrent_time_if_zero = true
        matches_prefix                          = [lifecycle_rule.key]
      }
    }
  }

  depends_on = [google_project_service.api]
}
