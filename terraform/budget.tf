# A budget sends alerts and stops nothing. --max-cost limits the cost of a run before it starts.
resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.budget == null ? [] : var.budget.emails)

  project      = var.project
  display_name = "widemerge: budget, ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
  user_labels  = local.labels

  depends_on = [google_project_service.api]
}

resource "google_billing_budget" "project" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "widemerge in ${var.project}"

  budget_filter {
    projects        = ["projects/${data.google_project.project.number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      # This must be the currency of the billing account.
      currency_code = "USD"
      units         = tostring(var.budget.amount_usd)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
      spend_basis       = "CURRENT_SPEND"
    }
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  dynamic "all_updates_rule" {
    for_each = length(var.budget.emails) > 0 ? [1] : []
    content {
      monitoring_notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
    }
  }

  depends_on = [google_project_service.api]
}
