locals {
  on_kubernetes = contains(var.backends, "kubernetes")
  on_cloudrun   = contains(var.backends, "cloudrun")
  make_cluster  = local.on_kubernetes && var.existing_cluster == null
  # The image is pushed into the registry that the first apply makes; a job is not accepted before its image is there.
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
