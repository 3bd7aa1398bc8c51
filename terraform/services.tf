locals {
  services = concat(
    ["artifactregistry.googleapis.com", "iam.googleapis.com", "storage.googleapis.com"],
    local.on_kubernetes ? ["compute.googleapis.com", "container.googleapis.com", "iamcredentials.googleapis.com"] : [],
    local.on_cloudrun ? ["run.googleapis.com"] : [],
    var.budget == null ? [] : ["billingbudgets.googleapis.com", "monitoring.googleapis.com"],
  )
}

resource "google_project_service" "api" {
  for_each = toset(local.services)

  project = var.project
  service = each.value
  # Other users of the project may need the service too, so destroy leaves it on.
  disable_on_destroy = false
}
