# This test fails on purpose: scripts/terraform.sh checks its message. A test that expects a failure cannot read the message.
mock_provider "google" {}

run "ceiling_of_the_profile" {
  command = plan

  variables {
    project         = "fx-features"
    cloudrun_memory = "50Gi"
  }
}
