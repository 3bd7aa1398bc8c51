# The identities. Pods need no Google service account: IAM identifies the Kubernetes service accounts of the namespace by their
# own names (Workload Identity Federation, direct principals). The names are the same in every cluster of the project.
locals {
  workload_pool = "${var.project}.svc.id.goog"
  subjects      = "principal://iam.googleapis.com/projects/${data.google_project.project.number}/locations/global/workloadIdentityPools/${local.workload_pool}/subject/ns/${var.namespace}/sa"

  principals = merge(
    local.on_kubernetes ? {
      kubernetes-controller = "${local.subjects}/controller"
      kubernetes-worker     = "${local.subjects}/worker"
    } : {},
    local.on_cloudrun ? {
      cloudrun-controller = google_service_account.controller[0].member
      cloudrun-worker     = google_service_account.worker[0].member
    } : {},
  )

  # The folders that each identity may write; nobody may write the inputs. A worker publishes outputs. A controller writes the
  # documents of the run, and tests in the scratch folder whether outputs can be written.
  objects = "projects/_/buckets/${google_storage_bucket.data.name}/objects"
  writable = {
    controller = ["${local.objects}/${local.output_folder}runs/", "${local.objects}/${local.scratch_folder}"]
    worker     = ["${local.objects}/${local.output_folder}"]
  }
}

# Listing and reading apply to the whole bucket: a request to list names the bucket, so it cannot be limited to a folder.
resource "google_storage_bucket_iam_member" "reader" {
  for_each = local.principals

  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectViewer"
  member = each.value

  # Google creates the identity pool with the first cluster of the project.
  depends_on = [google_container_cluster.cluster, data.google_container_cluster.existing]
}

# A merge uploads, composes, replaces and deletes objects. Predefined roles would also permit changes to metadata, retention and
# access.
resource "google_project_iam_custom_role" "writer" {
  project     = var.project
  role_id     = "widemergeWriter"
  title       = "widemerge writer"
  description = "Creates, replaces and deletes objects"
  permissions = ["storage.objects.create", "storage.objects.delete"]

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "writer" {
  for_each = local.principals

  bucket = google_storage_bucket.data.name
  role   = google_project_iam_custom_role.writer.name
  member = each.value

  condition {
    title       = "widemerge-output"
    description = "Outputs, scratch and reports; never the inputs"
    expression = join(" || ", [
      for prefix in local.writable[split("-", each.key)[1]] : "resource.name.startsWith(\"${prefix}\")"
    ])
  }

  depends_on = [google_container_cluster.cluster, data.google_container_cluster.existing]
}

# The nodes of the new cluster.
resource "google_service_account" "nodes" {
  count = local.make_cluster ? 1 : 0

  project      = var.project
  account_id   = "widemerge-nodes"
  display_name = "widemerge: nodes of the cluster"

  depends_on = [google_project_service.api]
}

# Nodes write logs and metrics.
resource "google_project_iam_member" "nodes" {
  count = local.make_cluster ? 1 : 0

  project = var.project
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes[0].member
}

# Cloud Build uses this account to build the image if the machine has no docker or podman. Its default account may be an editor
# of the whole project, or may have no permissions.
resource "google_service_account" "builder" {
  project      = var.project
  account_id   = "widemerge-builder"
  display_name = "widemerge: builds of the image"

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "builder" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}

# The builder may read the sources of a build, and nothing else in the bucket.
resource "google_storage_bucket_iam_member" "builder" {
  bucket = google_storage_bucket.data.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.builder.member

  condition {
    title       = "widemerge-builds"
    description = "Sources of builds"
    expression  = "resource.name.startsWith(\"${local.objects}/${local.builds_folder}\")"
  }
}

# Tasks on Cloud Run have no Kubernetes service account, so each role has a Google service account.
resource "google_service_account" "controller" {
  count = local.on_cloudrun ? 1 : 0

  project      = var.project
  account_id   = "widemerge-controller"
  display_name = "widemerge: controller on Cloud Run"

  depends_on = [google_project_service.api]
}

resource "google_service_account" "worker" {
  count = local.on_cloudrun ? 1 : 0

  project      = var.project
  account_id   = "widemerge-worker"
  display_name = "widemerge: worker on Cloud Run"

  depends_on = [google_project_service.api]
}

# One permission for each request in src/backend/cloudrun/client.ts. Cloud Run supports no conditions on job names, so these
# permissions apply to all jobs of the project.
resource "google_project_iam_custom_role" "launcher" {
  count = local.on_cloudrun ? 1 : 0

  project     = var.project
  role_id     = "widemergeLauncher"
  title       = "widemerge launcher"
  description = "Makes, runs, follows, cancels and deletes Cloud Run jobs"
  permissions = [
    "run.executions.cancel",
    "run.executions.get",
    "run.executions.list",
    "run.jobs.create",
    "run.jobs.delete",
    "run.jobs.get",
    "run.jobs.run",
    "run.operations.get",
    "run.tasks.list",
  ]

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "launcher" {
  count = local.on_cloudrun ? 1 : 0

  project = var.project
  role    = google_project_iam_custom_role.launcher[0].name
  member  = google_service_account.controller[0].member
}

# The controller may start jobs that run as the worker, and as no other account.
resource "google_service_account_iam_member" "controller_acts_as_worker" {
  count = local.on_cloudrun ? 1 : 0

  service_account_id = google_service_account.worker[0].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.controller[0].member
}
