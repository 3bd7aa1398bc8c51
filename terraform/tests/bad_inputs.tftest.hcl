# Every input that is refused, by the variable that refuses it.
mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project = "fx-features"
}

run "project_number" {
  command = plan

  variables {
    project = "123456789012"
  }

  expect_failures = [var.project]
}

run "zone_for_region" {
  command = plan

  variables {
    region = "us-central1-a"
  }

  expect_failures = [var.region]
}

run "bucket_url" {
  command = plan

  variables {
    bucket = "gs://fx"
  }

  expect_failures = [var.bucket]
}

run "bucket_location" {
  command = plan

  variables {
    bucket_location = "somewhere else"
  }

  expect_failures = [var.bucket_location]
}

run "no_backend" {
  command = plan

  variables {
    backends = []
  }

  expect_failures = [var.backends]
}

run "unknown_backend" {
  command = plan

  variables {
    backends = ["kubernetes", "local"]
  }

  expect_failures = [var.backends]
}

run "cluster_without_kubernetes" {
  command = plan

  variables {
    backends         = ["cloudrun"]
    existing_cluster = { name = "batch", location = "us-central1" }
  }

  expect_failures = [var.existing_cluster]
}

run "cluster_path" {
  command = plan

  variables {
    existing_cluster = { name = "projects/fx/clusters/batch", location = "us-central1" }
  }

  expect_failures = [var.existing_cluster]
}

run "cluster_location" {
  command = plan

  variables {
    existing_cluster = { name = "batch", location = "Iowa" }
  }

  expect_failures = [var.existing_cluster]
}

run "cluster_nodes" {
  command = plan

  variables {
    existing_cluster = { name = "batch", location = "us-central1", node_service_account = "default" }
  }

  expect_failures = [var.existing_cluster]
}

run "image_without_tag" {
  command = plan

  variables {
    image = "us-central1-docker.pkg.dev/fx-features/widemerge/widemerge"
  }

  expect_failures = [var.image]
}

run "input_prefix_slash" {
  command = plan

  variables {
    input_prefix = "checkpoints/"
  }

  expect_failures = [var.input_prefix]
}

run "output_prefix_up" {
  command = plan

  variables {
    output_prefix = "../training"
  }

  expect_failures = [var.output_prefix]
}

run "outputs_among_inputs" {
  command = plan

  variables {
    output_prefix = "checkpoints/training"
  }

  expect_failures = [var.output_prefix]
}

run "inputs_among_outputs" {
  command = plan

  variables {
    input_prefix = "training/checkpoints"
  }

  expect_failures = [var.output_prefix]
}

run "no_pair" {
  command = plan

  variables {
    pairs = []
  }

  expect_failures = [var.pairs]
}

run "pair_twice" {
  command = plan

  variables {
    pairs = ["audusd", "audusd"]
  }

  expect_failures = [var.pairs]
}

run "pair_path" {
  command = plan

  variables {
    pairs = ["../audusd"]
  }

  expect_failures = [var.pairs]
}

run "memory_unit" {
  command = plan

  variables {
    cloudrun_memory = "2GB"
  }

  expect_failures = [var.cloudrun_memory]
}

run "memory_of_the_profile" {
  command = plan

  variables {
    cloudrun_memory = "50Gi"
  }

  expect_failures = [var.cloudrun_memory]
}

run "memory_above_the_table" {
  command = plan

  variables {
    cloudrun_memory = "32769Mi"
  }

  expect_failures = [var.cloudrun_memory]
}

run "memory_below_the_table" {
  command = plan

  variables {
    cloudrun_memory = "256Mi"
  }

  expect_failures = [var.cloudrun_memory]
}

run "namespace_upper_case" {
  command = plan

  variables {
    namespace = "FX"
  }

  expect_failures = [var.namespace]
}

run "soft_delete_of_a_day" {
  command = plan

  variables {
    soft_delete_days = 1
  }

  expect_failures = [var.soft_delete_days]
}

run "soft_delete_too_long" {
  command = plan

  variables {
    soft_delete_days = 91
  }

  expect_failures = [var.soft_delete_days]
}

run "scratch_at_once" {
  command = plan

  variables {
    scratch_days = 0
  }

  expect_failures = [var.scratch_days]
}

run "billing_account" {
  command = plan

  variables {
    budget = { billing_account = "mine", amount_usd = 120 }
  }

  expect_failures = [var.budget]
}

run "amount" {
  command = plan

  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount_usd = 0 }
  }

  expect_failures = [var.budget]
}

run "address" {
  command = plan

  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount_usd = 20, emails = ["fx"] }
  }

  expect_failures = [var.budget]
}

run "label" {
  command = plan

  variables {
    labels = { Team = "FX" }
  }

  expect_failures = [var.labels]
}
