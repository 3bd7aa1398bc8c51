locals {
  input_folder   = "${var.input_prefix}/"
  output_folder  = "${var.output_prefix}/"
  scratch_folder = "${var.output_prefix}/.scratch/"
  # Cloud Build reads a few MB from here for each build. They are useless once the image exists.
  builds_folder = ".builds/"

  # Extracting the inputs takes 27 hours, and a mistake may be noticed late, so deleted inputs are kept for some days. Another
  # merge makes a lost output in a minute. Scratch objects are twice as large as all outputs and useless after a merge: they
  # go within a day, when Cloud Storage next applies the rules.
  older_versions = var.versioning ? { (local.input_folder) = 30, (local.output_folder) = 1, (local.scratch_folder) = 0, (local.builds_folder) = 0 } : {}
}

resource "google_storage_bucket" "data" {
  # checkov:skip=CKV_GCP_62: access logs need a second bucket; the data access audit logs of the project, if enabled, record who read or deleted what
  project  = var.project
  name     = local.bucket
  location = coalesce(var.bucket_location, var.region)
  labels   = local.labels

  # Only IAM grants access, on whole folders; nothing in the bucket can be made public.
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  # Terraform never deletes a bucket with data that took days to make. To delete the bucket, empty it by hand.
  force_destroy = false

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 3600
  }

  versioning {
    enabled = var.versioning
  }

  # A merge removes its scratch objects when it ends, and those of a killed merge of the same pair. This rule removes the
  # scratch objects of pairs that are never merged again.
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
