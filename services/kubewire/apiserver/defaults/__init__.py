"""Fields that a stock Kubernetes server fills in when an author leaves them out."""
