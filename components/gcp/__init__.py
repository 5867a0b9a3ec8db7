"""Google Cloud: an account, a network per region, a GKE cluster per region."""
