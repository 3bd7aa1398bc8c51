# A network of its own: the project's default one opens ports to everybody, or is not there. Nodes have no public address
# and no way out but to Google's own services, which is all that a merge needs; no NAT has to be paid for.
resource "google_compute_network" "cluster" {
  # checkov:skip=CKV2_GCP_18: without a rule nothing comes in: that is the network's own default, and GKE adds what its control plane needs
  count = local.make_cluster ? 1 : 0

  project                 = var.project
  name                    = "widemerge"
  auto_create_subnetworks = false

  depends_on = [google_project_service.api]
}

resource "google_compute_subnetwork" "cluster" {
  # checkov:skip=CKV_GCP_26: flow logs are paid for by volume, and there is no traffic here but with Google's own services
  count = local.make_cluster ? 1 : 0

  project                  = var.project
  name                     = "widemerge"
  region                   = var.region
  network                  = google_compute_network.cluster[0].id
  ip_cidr_range            = "10.0.0.0/20" # of the nodes; GKE adds ranges for pods and services
  private_ip_google_access = true
}

resource "google_container_cluster" "cluster" {
  # checkov:skip=CKV_GCP_12: Autopilot runs Dataplane V2, which enforces network policies; the setting is refused there
  # checkov:skip=CKV_GCP_20: no address of the control plane answers, so there are no networks to authorize
  # checkov:skip=CKV_GCP_61: Autopilot sets visibility itself; for flow logs see the subnetwork
  # checkov:skip=CKV_GCP_65: groups need a Google Workspace of the owner's, and the namespace's one role is for a service account
  # checkov:skip=CKV_GCP_66: needs attestors and a policy that hold for the whole project: the owner's decision, not this module's
  # checkov:skip=CKV_GCP_69: Autopilot always has the metadata server; the setting is refused there
  count = local.make_cluster ? 1 : 0

  project             = var.project
  name                = "widemerge"
  location            = var.region
  enable_autopilot    = true
  deletion_protection = var.deletion_protection
  resource_labels     = local.labels

  network    = google_compute_network.cluster[0].id
  subnetwork = google_compute_subnetwork.cluster[0].id
  ip_allocation_policy {}

  private_cluster_config {
    enable_private_nodes = true
  }

  # The control plane is reached by its name alone, where IAM (container.clusters.connect) decides who gets through: no
  # address of it answers, so there are no networks to list. `gcloud … get-credentials --dns-endpoint` is the way in.
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
    ip_endpoints_config {
      enabled = false
    }
  }

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  release_channel {
    channel = "REGULAR"
  }

  # Bills are broken down by namespace and label of the pods.
  cost_management_config {
    enabled = true
  }

  # Instead of the project's default account, which may edit the whole project in many of them.
  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes[0].email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    }
  }

  # Nodes that may not write logs, or not pull, start and then fail.
  depends_on = [google_project_iam_member.nodes, google_artifact_registry_repository_iam_member.reader]
}

data "google_container_cluster" "existing" {
  count = local.on_kubernetes && var.existing_cluster != null ? 1 : 0

  project  = var.project
  name     = var.existing_cluster.name
  location = var.existing_cluster.location

  lifecycle {
    postcondition {
      condition     = try(self.workload_identity_config[0].workload_pool, "") == local.workload_pool
      error_message = "The cluster ${var.existing_cluster.name} has no Workload Identity Federation, by which pods get the bucket without a key: gcloud container clusters update ${var.existing_cluster.name} --location ${var.existing_cluster.location} --workload-pool ${local.workload_pool}, and the same for its node pools (--workload-metadata GKE_METADATA)."
    }
  }

  depends_on = [google_project_service.api]
}

# Without it everything works; only bills cannot be compared with estimates. So this warns.
check "cost_allocation" {
  assert {
    condition     = alltrue([for cluster in data.google_container_cluster.existing : try(cluster.cost_management_config[0].enabled, false)])
    error_message = "Cost allocation is off in the cluster, so bills do not say what a namespace cost: gcloud container clusters update NAME --location LOCATION --enable-cost-allocation."
  }
}

locals {
  cluster_name     = local.make_cluster ? "widemerge" : try(var.existing_cluster.name, null)
  cluster_location = local.make_cluster ? var.region : try(var.existing_cluster.location, null)
}
