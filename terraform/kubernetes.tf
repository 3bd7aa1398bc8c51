# The cluster has its own network: the default network of a project has open ports, or does not exist. Nodes have no public
# address and reach only Google's services. A merge needs no others, so there is no NAT to pay for.
resource "google_compute_network" "cluster" {
  # checkov:skip=CKV2_GCP_18: the network denies all incoming traffic by default, and GKE adds the rules that its control plane needs
  count = local.make_cluster ? 1 : 0

  project                 = var.project
  name                    = "widemerge"
  auto_create_subnetworks = false

  depends_on = [google_project_service.api]
}

resource "google_compute_subnetwork" "cluster" {
  # checkov:skip=CKV_GCP_26: flow logs cost by volume, and the only traffic is with Google's services
  count = local.make_cluster ? 1 : 0

  project                  = var.project
  name                     = "widemerge"
  region                   = var.region
  network                  = google_compute_network.cluster[0].id
  ip_cidr_range            = "10.0.0.0/20" # of the nodes; GKE adds ranges for pods and services
  private_ip_google_access = true
}

resource "google_container_cluster" "cluster" {
  # checkov:skip=CKV_GCP_12: Autopilot runs Dataplane V2, which enforces network policies, and rejects the setting
  # checkov:skip=CKV_GCP_20: the control plane has no IP endpoint, so there are no networks to authorize
  # checkov:skip=CKV_GCP_61: Autopilot sets visibility itself; the subnetwork explains flow logs
  # checkov:skip=CKV_GCP_65: groups need a Google Workspace, and the only role of the namespace is for a service account
  # checkov:skip=CKV_GCP_66: it needs attestors and a policy for the whole project, which its owner decides, not this module
  # checkov:skip=CKV_GCP_69: Autopilot always has the metadata server, and rejects the setting
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

  # The control plane has a DNS endpoint and no IP endpoints. IAM (container.clusters.connect) decides who may connect, with
  # `gcloud … get-credentials --dns-endpoint`.
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

  # Bills show the cost by namespace and by label of the pods.
  cost_management_config {
    enabled = true
  }

  # The default account of a project can often edit the whole project, so nodes have their own.
  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes[0].email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    }
  }

  # Nodes that may not write logs or pull images start and then fail.
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

# This only warns: without cost allocation everything works, but bills cannot be compared with estimates.
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
