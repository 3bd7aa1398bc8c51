# Fails, on purpose: scripts/terraform.sh looks at what is said. A test that expects the failure cannot see its words.
mock_provider "google" {}

run "ceiling_of_the_profile" {
  command = plan

  variables {
    project         = "fx-features"
    cloudrun_memory = "50Gi"
  }
}
