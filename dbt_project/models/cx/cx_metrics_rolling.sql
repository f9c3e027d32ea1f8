{{ told_metrics('window_days > 1') }}
