resource "google_artifact_registry_repository" "images" {
  # checkov:skip=CKV_GCP_84: images contain no data and no secrets, so Google's encryption at rest is enough; a key costs money and can be lost
  project       = var.project
  location      = var.region
  repository_id = "widemerge"
  description   = "Images of widemerge"
  format        = "DOCKER"
  labels        = local.labels

  # Every build leaves layers that cost money. Five versions are kept whatever their age: the current one and four older ones.
  cleanup_policy_dry_run = false

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "2592000s" # 30 days
    }
  }

  depends_on = [google_project_service.api]
}

locals {
  repository = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"

  # Nodes pull images for their pods. Cloud Run pulls with its own agent, but only lets an account start a job if that account
  # may pull the image: the controller.
  image_readers = merge(
    local.make_cluster ? { nodes = google_service_account.nodes[0].member } : {},
    try(var.existing_cluster.node_service_account, null) == null ? {} : { nodes = "serviceAccount:${var.existing_cluster.node_service_account}" },
    local.on_cloudrun ? { controller = google_service_account.controller[0].member } : {},
  )
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

resource "google_artifact_registry_repository_iam_member" "reader" {
  for_each = local.image_readers

  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.reader"
  member     = each.value
}
