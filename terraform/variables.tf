variable "project" {
  description = "Id of the Google Cloud project that everything is made in"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project has to be a project id, such as fx-features: 6 to 30 lower-case letters, digits and hyphens. Not its number, and not an id with a domain in front."
  }
}

variable "region" {
  description = "Region of the cluster, the registry, the Cloud Run jobs and, unless stated, the bucket"
  type        = string
  default     = "us-central1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+(-[a-z]+)+[0-9]+$", var.region))
    error_message = "region has to be a region such as us-central1, not a zone such as us-central1-a."
  }
}

variable "bucket" {
  description = "Name of the bucket that is made for inputs and outputs; null: PROJECT-widemerge"
  type        = string
  default     = null

  validation {
    condition     = var.bucket == null ? true : can(regex("^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket has to be a bucket's name: 3 to 63 lower-case letters, digits, hyphens and underscores, without gs:// and without dots (they need a domain that was proven to be yours)."
  }
}

variable "bucket_location" {
  description = "Location of the bucket; null: the region, so that nothing is paid for traffic"
  type        = string
  default     = null

  validation {
    condition     = var.bucket_location == null ? true : can(regex("^[A-Za-z]+(-[A-Za-z]+[0-9]+)?[0-9]?$", var.bucket_location))
    error_message = "bucket_location has to be a region such as us-central1, or a location of several such as US or NAM4."
  }
}

variable "backends" {
  description = "Where pairs are merged: kubernetes, cloudrun, or both"
  type        = set(string)
  default     = ["kubernetes"]
  nullable    = false

  validation {
    condition     = length(var.backends) > 0
    error_message = "backends must not be empty: kubernetes, cloudrun, or both."
  }

  validation {
    condition     = length(setsubtract(var.backends, ["kubernetes", "cloudrun"])) == 0
    error_message = "backends may hold kubernetes and cloudrun. The backend local needs nothing in a project."
  }
}

variable "existing_cluster" {
  description = "GKE cluster of this project to use; null: an Autopilot cluster is made. With node_service_account, its nodes may pull images"
  type = object({
    name                 = string
    location             = string
    node_service_account = optional(string)
  })
  default = null

  validation {
    condition     = var.existing_cluster == null || contains(var.backends, "kubernetes")
    error_message = "existing_cluster is stated, but backends does not hold kubernetes: add it, or leave the cluster out."
  }

  validation {
    condition     = var.existing_cluster == null ? true : can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.existing_cluster.name))
    error_message = "existing_cluster.name has to be a cluster's short name, such as batch: lower-case letters, digits and hyphens."
  }

  validation {
    condition     = var.existing_cluster == null ? true : can(regex("^[a-z]+(-[a-z]+)+[0-9]+(-[a-z])?$", var.existing_cluster.location))
    error_message = "existing_cluster.location has to be a region or a zone, such as us-central1 or us-central1-a."
  }

  validation {
    condition     = try(var.existing_cluster.node_service_account, null) == null ? true : can(regex("^[a-z0-9-]+@[a-z0-9.-]+$", var.existing_cluster.node_service_account))
    error_message = "existing_cluster.node_service_account has to be an address such as nodes@fx-features.iam.gserviceaccount.com."
  }
}

variable "image" {
  description = "Container image of worker and controller, with tag or digest; null: the Cloud Run jobs are not made yet"
  type        = string
  default     = null

  validation {
    condition     = var.image == null ? true : can(regex("^[a-z0-9][A-Za-z0-9._/-]*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "image has to end in a tag or a digest, such as us-central1-docker.pkg.dev/fx-features/widemerge/widemerge:0.1.0."
  }
}

variable "input_prefix" {
  description = "Folder of the checkpoints in the bucket; workers and controllers may only read it"
  type        = string
  default     = "checkpoints"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", var.input_prefix))
    error_message = "input_prefix has to be a folder such as checkpoints or fx/checkpoints, without a slash at its ends."
  }
}

variable "output_prefix" {
  description = "Folder of the training files in the bucket; holds runs/ and .scratch/ too"
  type        = string
  default     = "training"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", var.output_prefix))
    error_message = "output_prefix has to be a folder such as training or fx/training, without a slash at its ends."
  }

  validation {
    condition     = !startswith("${var.input_prefix}/", "${var.output_prefix}/") && !startswith("${var.output_prefix}/", "${var.input_prefix}/")
    error_message = "output_prefix and input_prefix must not lie in each other: whoever may write outputs could then write inputs."
  }
}

variable "pairs" {
  description = "Pairs that the Cloud Run jobs merge; null: those of profiles/27-pairs.yaml"
  type        = list(string)
  default     = null

  validation {
    condition     = var.pairs == null ? true : length(var.pairs) > 0 && length(var.pairs) <= 10000 && length(distinct(var.pairs)) == length(var.pairs)
    error_message = "pairs has to hold 1 to 10,000 pairs (as many tasks has a Cloud Run job), none of them twice."
  }

  validation {
    condition     = var.pairs == null ? true : alltrue([for pair in var.pairs : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", pair))])
    error_message = "pairs has to hold names of letters, digits, _ and -, at most 63, such as audusd."
  }
}

variable "cloudrun_memory" {
  description = "Memory of a Cloud Run worker and its ceiling, 512Mi to 32Gi; virtual CPUs follow from it"
  type        = string
  default     = "2Gi"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi)$", var.cloudrun_memory))
    error_message = "cloudrun_memory has to be a whole number of Mi or Gi, such as 2Gi."
  }

  validation {
    condition     = try(tonumber(trimsuffix(trimsuffix(var.cloudrun_memory, "Mi"), "Gi")) * (endswith(var.cloudrun_memory, "Gi") ? 1024 : 1) <= 32768, true)
    error_message = "cloudrun_memory is at most 32Gi: Cloud Run has no larger task, so the ceiling of 50 GiB in profiles/27-pairs.yaml cannot be had there. A merge of 668 tables needs about 0.3 GiB, so 2Gi is ample; for a ceiling of 50 GiB use the backend kubernetes."
  }

  validation {
    condition     = try(tonumber(trimsuffix(trimsuffix(var.cloudrun_memory, "Mi"), "Gi")) * (endswith(var.cloudrun_memory, "Gi") ? 1024 : 1) >= 512, true)
    error_message = "cloudrun_memory is at least 512Mi: Cloud Run's second generation has no smaller task."
  }
}

variable "namespace" {
  description = "Kubernetes namespace whose accounts controller and worker get the bucket"
  type        = string
  default     = "widemerge"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "namespace has to be a Kubernetes namespace: lower-case letters, digits and hyphens, at most 63."
  }
}

variable "soft_delete_days" {
  description = "Days that every deleted object can still be restored and is still paid for: 0, or 7 to 90"
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90 && floor(var.soft_delete_days) == var.soft_delete_days)
    error_message = "soft_delete_days has to be 0 (off) or a whole number from 7 to 90: Cloud Storage has nothing between."
  }
}

variable "versioning" {
  description = "Keep what is replaced or deleted as an older version: inputs for 30 days, outputs for 1, scratch not at all"
  type        = bool
  default     = true
  nullable    = false
}

variable "scratch_days" {
  description = "Age in days at which objects under OUTPUT_PREFIX/.scratch/ are deleted; more than any merge takes"
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.scratch_days >= 1 && var.scratch_days <= 365 && floor(var.scratch_days) == var.scratch_days
    error_message = "scratch_days has to be a whole number from 1 to 365: what a merge at work stages must not be deleted under it."
  }
}

variable "budget" {
  description = "Alert at 50, 90 and 100% of a monthly amount for the project, and when 100% is forecast, to the billing account's administrators and up to 5 addresses; null: none"
  type = object({
    billing_account = string
    amount_usd      = number
    emails          = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.budget == null ? true : can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account has to be a billing account's id, such as 012345-6789AB-CDEF01."
  }

  validation {
    condition     = var.budget == null ? true : var.budget.amount_usd >= 1 && floor(var.budget.amount_usd) == var.budget.amount_usd
    error_message = "budget.amount_usd has to be a whole number of $ from 1 on."
  }

  validation {
    condition     = var.budget == null ? true : length(var.budget.emails) <= 5 && alltrue([for email in var.budget.emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$", email))])
    error_message = "budget.emails has to hold at most 5 addresses (as many channels has a budget), such as fx@example.com."
  }
}

variable "deletion_protection" {
  description = "Refuse to destroy the cluster. A bucket that holds anything is never destroyed"
  type        = bool
  default     = true
  nullable    = false
}

variable "labels" {
  description = "Labels of everything that can have some, by which bills are broken down; app = widemerge is among them"
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels has to hold keys and values of lower-case letters, digits, _ and -, at most 63, keys beginning with a letter."
  }
}
