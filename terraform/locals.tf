locals {
  on_kubernetes = contains(var.backends, "kubernetes")
  on_cloudrun   = contains(var.backends, "cloudrun")
  make_cluster  = local.on_kubernetes && var.existing_cluster == null
  # The first apply creates the registry. Cloud Run rejects a job whose image has not been pushed yet.
  make_jobs = local.on_cloudrun && var.image != null

  bucket = coalesce(var.bucket, "${var.project}-widemerge")
  input  = "gs://${local.bucket}/${var.input_prefix}"
  output = "gs://${local.bucket}/${var.output_prefix}"
  labels = merge({ app = "widemerge" }, var.labels)
  pairs  = var.pairs != null ? var.pairs : yamldecode(file("${path.module}/../profiles/27-pairs.yaml")).pairs
}

data "google_project" "project" {
  project_id = var.project
}
