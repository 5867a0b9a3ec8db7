"""Azure: the account, a region's network and vault, the AKS cluster."""
