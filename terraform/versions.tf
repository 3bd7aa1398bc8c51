terraform {
  # 1.9: a variable's validation may look at other variables.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0, < 8.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
  # Some services (budgets) refuse requests of a person that name no project to be counted on.
  billing_project       = var.project
  user_project_override = true
}
