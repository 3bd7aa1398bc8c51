terraform {
  # From 1.9 on, the validation of a variable may use other variables.
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
  # Some services (budgets) reject a person's requests that name no project for quota and billing.
  billing_project       = var.project
  user_project_override = true
}
