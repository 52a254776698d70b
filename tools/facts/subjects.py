"""Which subject file a message stands in, where the kind that owns it does not decide.

Rules are tried in order; a pattern must match the whole message name. Files of one package must not import
each other in a circle, which protoc checks.
"""

from __future__ import annotations

_ROLE_PARTS = (("PolicyRule|RoleRef|Subject", "subject"),)
_ADMISSION = (("Admission.*", "admission_review"),)
_CONVERSION = (("Conversion.*", "conversion_review"),)
_REGISTRATION = (
    (
        "MatchCondition|MatchResources|NamedRuleWithOperations|Rule|RuleWithOperations|ParamKind|ParamRef|Variable",
        "match",
    ),
    ("ServiceReference|WebhookClientConfig", "webhook_client"),
)
_SCALE = (("Scale(Spec|Status)?", "scale"), ("DeploymentRollback", "deployment"))
_CLAIM_PARTS = (
    ("CELDeviceSelector|DeviceSelector|DeviceConfiguration|OpaqueDeviceConfiguration", "device_selector"),
    (
        (
            "CapacityRequirements|DeviceClaim|DeviceClaimConfiguration|DeviceConstraint|DeviceRequest|DeviceSubRequest"
            "|DeviceToleration|DeviceTaint|ExactDeviceRequest|ResourceClaimSpec"
        ),
        "resource_claim_spec",
    ),
)
_METRIC_OPTIONS = (("MetricListOptions", "metric_list_options"),)
_AUTHENTICATION = (
    ("BoundObjectReference|TokenRequest.*", "token_request"),
    ("SelfSubject.*", "self_subject_review"),
    ("ExtraValue|UserInfo", "user_info"),
    ("TokenReview.*", "token_review"),
)
_AUTHORIZATION = (
    ("SelfSubjectRules.*|SubjectRules.*|.*ResourceRule", "self_subject_rules_review"),
    (".*", "subject_access_review"),
)

FILE_RULES: dict[str, tuple[tuple[str, str], ...]] = {
    "k8s.io.api.core.v1": (
        (
            "PodSpec|PodTemplateSpec|PodDNS.*|PodOS|PodReadinessGate|PodResourceClaim|PodScheduling.*|HostAlias",
            "pod_spec",
        ),
        ("Pod(Attach|Exec|Log|PortForward|Proxy)Options|(Node|Service)ProxyOptions", "connect_options"),
        ("PodStatusResult", "pod"),
        ("PodSignature|AvoidPods|PreferAvoidPodsEntry", "node"),
        (
            "(Node|Pod|WeightedPod)?(Anti)?Affinity.*|NodeSelector.*|PreferredSchedulingTerm|Toleration|Topology.*",
            "scheduling",
        ),
        (".*SecurityContext.*|Capabilities|AppArmorProfile|SELinuxOptions|SeccompProfile|Sysctl", "security_context"),
        (".*Probe|ProbeHandler|ExecAction|GRPCAction|HTTP.*|TCPSocketAction|SleepAction|Lifecycle.*", "probe"),
        ("VolumeMount|VolumeDevice|Container(Port|ResizePolicy|RestartRule.*)?|EphemeralContainer.*", "container"),
        ("ResourceRequirements|ResourceClaim", "resources"),
        ("Env.*|.*EnvSource|(ConfigMap|Secret|File)KeySelector", "env"),
        (
            "SecretReference|LocalObjectReference|ObjectReference|Typed.*Reference|SerializedReference|Preconditions",
            "reference",
        ),
        ("ObjectFieldSelector|ResourceFieldSelector", "field_selector"),
        ("PersistentVolumeClaim(Spec|Template)|VolumeResourceRequirements", "claim_spec"),
        ("Volume(Source)?|ProjectedVolumeSource|.*Projection", "volume"),
        (".*VolumeSource|KeyToPath|DownwardAPIVolumeFile", "volume_source"),
        ("Binding", "binding"),
        ("List", "list"),
        ("RangeAllocation", "range_allocation"),
    ),
    "k8s.io.apimachinery.pkg.apis.meta.v1": (
        (".*Options|Preconditions|Patch", "options"),
        ("Timestamp|Time|MicroTime|Duration|Verbs", "time"),
        ("Group.*|TypeMeta", "group_kind"),
        (
            "ObjectMeta|ListMeta|OwnerReference|ManagedFieldsEntry|FieldsV1|PartialObjectMetadata.*|ShardInfo",
            "object_meta",
        ),
        (".*Selector.*", "selector"),
        ("Status.*", "status"),
        ("Condition", "condition"),
        ("API.*|RootPaths|ServerAddress.*", "discovery"),
        ("Table.*", "table"),
        ("WatchEvent", "watch_event"),
        ("List", "list"),
    ),
    "k8s.io.apimachinery.pkg.apis.meta.v1beta1": ((".*", "partial_object_metadata"),),
    "k8s.io.apimachinery.pkg.apis.testapigroup.v1": ((".*", "carp"),),
    "k8s.io.apimachinery.pkg.api.resource": ((".*", "quantity"),),
    "k8s.io.apimachinery.pkg.runtime": ((".*", "runtime"),),
    "k8s.io.apimachinery.pkg.util.intstr": ((".*", "intstr"),),
    "k8s.io.api.admission.v1": _ADMISSION,
    "k8s.io.api.admission.v1beta1": _ADMISSION,
    "k8s.io.api.admissionregistration.v1": _REGISTRATION,
    "k8s.io.api.admissionregistration.v1alpha1": _REGISTRATION,
    "k8s.io.api.admissionregistration.v1beta1": _REGISTRATION,
    "k8s.io.api.apps.v1beta1": _SCALE,
    "k8s.io.api.apps.v1beta2": _SCALE,
    "k8s.io.api.extensions.v1beta1": _SCALE,
    "k8s.io.api.autoscaling.v1": (*_SCALE, (".*Metric.*|HorizontalPodAutoscalerCondition", "metrics")),
    "k8s.io.api.authentication.v1": _AUTHENTICATION,
    "k8s.io.api.authentication.v1alpha1": _AUTHENTICATION,
    "k8s.io.api.authentication.v1beta1": _AUTHENTICATION,
    "k8s.io.api.authorization.v1": _AUTHORIZATION,
    "k8s.io.api.authorization.v1beta1": _AUTHORIZATION,
    "k8s.io.api.batch.v1": (("JobSpec|PodFailurePolicy.*|SuccessPolicy.*", "job_spec"),),
    "k8s.io.api.imagepolicy.v1alpha1": ((".*", "image_review"),),
    "k8s.io.api.policy.v1": (("Eviction", "eviction"),),
    "k8s.io.api.policy.v1beta1": (("Eviction", "eviction"),),
    "k8s.io.api.rbac.v1": _ROLE_PARTS,
    "k8s.io.api.rbac.v1alpha1": _ROLE_PARTS,
    "k8s.io.api.rbac.v1beta1": _ROLE_PARTS,
    "k8s.io.api.resource.v1": _CLAIM_PARTS,
    "k8s.io.api.resource.v1alpha3": _CLAIM_PARTS,
    "k8s.io.api.resource.v1beta1": _CLAIM_PARTS,
    "k8s.io.api.resource.v1beta2": _CLAIM_PARTS,
    "k8s.io.api.scheduling.v1alpha2": (
        (
            ".*SchedulingPolicy|PodGroupResourceClaim|PodGroupSchedulingConstraints|TopologyConstraint",
            "scheduling_policy",
        ),
    ),
    "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1": _CONVERSION,
    "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1beta1": _CONVERSION,
    "k8s.io.metrics.pkg.apis.custom_metrics.v1beta1": _METRIC_OPTIONS,
    "k8s.io.metrics.pkg.apis.custom_metrics.v1beta2": _METRIC_OPTIONS,
}


def directory_of(package: str) -> str:
    """Directory below `kubewire/api` of a proto package: its last group word and its version, if it has one.

    >>> directory_of("k8s.io.api.core.v1"), directory_of("k8s.io.apimachinery.pkg.runtime")
    ('core/v1', 'runtime')
    """
    words = package.split(".")
    is_version = words[-1][0] == "v" and words[-1][1].isdigit()
    return "/".join(words[-2:] if is_version else words[-1:])
