output "project" {
  description = "Project id"
  value       = var.project
}

output "region" {
  description = "Region"
  value       = var.region
}

output "bucket" {
  description = "Name of the bucket"
  value       = google_storage_bucket.data.name
}

output "input" {
  description = "Folder of the checkpoints, gs://…"
  value       = local.input
}

output "output" {
  description = "Folder of the training files, gs://…"
  value       = local.output
}

output "repository" {
  description = "Where images are pushed: REGION-docker.pkg.dev/PROJECT/widemerge"
  value       = local.repository
}

output "builder" {
  description = "Service account that Cloud Build acts as, and the folder of the bucket that it is given sources in"
  value = {
    service_account = google_service_account.builder.email
    sources         = "gs://${google_storage_bucket.data.name}/${trimsuffix(local.builds_folder, "/")}"
  }
}

output "image" {
  description = "Image that was stated, or null"
  value       = var.image
}

output "kubernetes" {
  description = "Cluster, location, kubectl context, namespace, Kubernetes accounts, and whether the way in is the DNS endpoint; null without this backend"
  value = local.on_kubernetes ? {
    cluster            = local.cluster_name
    location           = local.cluster_location
    context            = "gke_${var.project}_${local.cluster_location}_${local.cluster_name}"
    namespace          = var.namespace
    controller_account = "controller"
    worker_account     = "worker"
    # gcloud container clusters get-credentials … --dns-endpoint
    dns_endpoint = local.make_cluster
  } : null

  # Readers of this output connect to the cluster next, so it must be ready.
  depends_on = [google_container_cluster.cluster, data.google_container_cluster.existing]
}

output "cloudrun" {
  description = "Names of the controller's and the worker's job (null before the image is stated) and the worker's service account; null without this backend"
  value = local.on_cloudrun ? {
    controller_job         = one(google_cloud_run_v2_job.controller[*].name)
    worker_job             = one(google_cloud_run_v2_job.worker[*].name)
    worker_service_account = google_service_account.worker[0].email
  } : null
}

output "monthly_cost_at_rest" {
  description = "What is paid while nothing runs, in $, by the price list"
  value       = local.monthly_text
}
