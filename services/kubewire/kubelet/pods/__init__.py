"""From what a pod should be and what runs of it to what is done next and what is reported."""
