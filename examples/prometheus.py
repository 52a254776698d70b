"""Prometheus' configuration for a cluster: `kubewire status -o json | python examples/prometheus.py TOKEN_FILE`.

It is printed as JSON, which is YAML too. The token is the service account's of prometheus.yaml, or any other that may
read /metrics: the API server alone asks for one.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit


def jobs(status: dict[str, Any], token_file: str) -> Iterator[dict[str, Any]]:
    """One for each kind of component."""
    yield {
        "job_name": "apiserver",
        "scheme": "https",
        "tls_config": {"ca_file": status["ca"]},
        "authorization": {"credentials_file": token_file},
        "static_configs": [{"targets": [urlsplit(status["rest"]).netloc]}],
    }
    targets: dict[str, list[str]] = {}
    for name, address in status["metrics"].items():
        targets.setdefault(name.rpartition("/")[2], []).append(address)
    for role, addresses in targets.items():
        yield {"job_name": role, "static_configs": [{"targets": addresses}]}
    if "kubelet" in targets:
        static = [{"targets": targets["kubelet"]}]
        yield {"job_name": "kubelet-probes", "metrics_path": "/metrics/probes", "static_configs": static}


if __name__ == "__main__":
    scraped = list(jobs(json.load(sys.stdin), sys.argv[1]))
    print(json.dumps({"global": {"scrape_interval": "15s"}, "scrape_configs": scraped}, indent=2))
