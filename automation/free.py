"""Types that cost nothing by nature; a type in neither table is `unpriced`, never zero."""

from __future__ import annotations

from typing import Final

FREE_PREFIXES: Final = (
    "pulumi:",
    "pulumi-python:",
    "ecosystem:",
    "aws:iam/",
    "aws:budgets/budget:",
    "aws:costexplorer/",
    "aws:resourcegroups/",
    "aws:organizations/",
    "aws:ssoadmin/",
    "gcp:projects/",
    "gcp:organizations/",
    "gcp:serviceaccount/",
    "gcp:serviceAccount/",
    "gcp:billing/",
    "gcp:monitoring/notificationChannel:",
    "gcp:binaryauthorization/",
    "azure-native:authorization:",
    "azure-native:managedidentity:",
    "azure-native:resources:",
    "azure-native:consumption:",
    "azure-native:costmanagement:",
)

FREE: Final = frozenset(
    {
        # AWS: addressing, routing, permission and grouping (https://aws.amazon.com/vpc/pricing/, 2026-11-21)
        "aws:ec2/vpc:Vpc",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/route:Route",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
        "aws:ec2/defaultRouteTable:DefaultRouteTable",
        "aws:ec2/networkAcl:NetworkAcl",
        "aws:ec2/networkAclRule:NetworkAclRule",
        "aws:ec2/vpcDhcpOptions:VpcDhcpOptions",
        "aws:ec2/vpcDhcpOptionsAssociation:VpcDhcpOptionsAssociation",
        "aws:ec2/vpnGateway:VpnGateway",  # its connections are charged
        "aws:ec2/vpnGatewayRoutePropagation:VpnGatewayRoutePropagation",
        "aws:ec2/customerGateway:CustomerGateway",
        "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",  # peering has no price of its own, what passes has
        "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
        "aws:sns/topicSubscription:TopicSubscription",
        "aws:ec2/flowLog:FlowLog",  # what it writes is charged by its log group
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/tag:Tag",
        "aws:ec2/eipAssociation:EipAssociation",
        "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy",
        "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation",
        "aws:ec2/vpcEndpointSubnetAssociation:VpcEndpointSubnetAssociation",
        "aws:ec2/vpcBlockPublicAccessOptions:VpcBlockPublicAccessOptions",
        "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults",
        "aws:ec2/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
        "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess",
        "aws:ec2/serialConsoleAccess:SerialConsoleAccess",
        "aws:ebs/encryptionByDefault:EncryptionByDefault",
        "aws:ebs/defaultKmsKey:DefaultKmsKey",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:eks/accessEntry:AccessEntry",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:eks/addon:Addon",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        "aws:eks/identityProviderConfig:IdentityProviderConfig",
        "aws:kms/alias:Alias",
        "aws:kms/grant:Grant",
        "aws:kms/keyPolicy:KeyPolicy",
        "aws:autoscaling/tag:Tag",
        "aws:autoscaling/schedule:Schedule",
        "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:ssm/parameter:Parameter",  # standard tier
        "aws:backup/plan:Plan",
        "aws:backup/restoreTestingPlan:RestoreTestingPlan",  # what it restores is charged while it stands
        "aws:backup/restoreTestingSelection:RestoreTestingSelection",
        "aws:backup/selection:Selection",
        "aws:elasticache/subnetGroup:SubnetGroup",
        "aws:elasticache/user:User",
        "aws:elasticache/userGroup:UserGroup",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:rds/parameterGroup:ParameterGroup",
        "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "aws:cloudtrail/trail:Trail",  # the first copy of management events (aws.amazon.com/cloudtrail/pricing)
        "aws:s3/bucketLogging:BucketLogging",  # the logs are charged by their bucket
        "aws:lb/targetGroup:TargetGroup",
        "aws:lb/listener:Listener",
        "aws:lb/listenerRule:ListenerRule",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sqs/queuePolicy:QueuePolicy",
        # Google Cloud (https://cloud.google.com/vpc/network-pricing, 2026-11-21)
        "gcp:compute/network:Network",
        "gcp:compute/subnetwork:Subnetwork",
        "gcp:compute/router:Router",
        "gcp:compute/route:Route",
        "gcp:compute/haVpnGateway:HaVpnGateway",  # its tunnels are charged
        "gcp:compute/externalVpnGateway:ExternalVpnGateway",
        "gcp:compute/networkPeering:NetworkPeering",
        "gcp:compute/routerInterface:RouterInterface",
        "gcp:compute/routerPeer:RouterPeer",
        "gcp:pubsub/topicIAMMember:TopicIAMMember",
        "gcp:compute/firewall:Firewall",
        "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy",
        "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
        "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation",
        "gcp:compute/subnetworkIAMMember:SubnetworkIAMMember",
        "gcp:compute/projectMetadataItem:ProjectMetadataItem",
        "gcp:compute/projectMetadata:ProjectMetadata",
        "gcp:compute/globalAddress:GlobalAddress",  # internal ranges (private service access)
        "gcp:servicenetworking/connection:Connection",
        "gcp:kms/keyRing:KeyRing",
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
        "gcp:kms/keyRingIAMMember:KeyRingIAMMember",
        "gcp:secretmanager/secret:Secret",  # its versions are charged
        "gcp:secretmanager/secretIamMember:SecretIamMember",
        "gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy",
        "gcp:sql/database:Database",
        "gcp:sql/user:User",
        "gcp:dns/dnsManagedZoneIamMember:DnsManagedZoneIamMember",
        "gcp:logging/projectSink:ProjectSink",
        "gcp:logging/metric:Metric",
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        # Azure (https://azure.microsoft.com/pricing/details/virtual-network/, 2026-11-21)
        "azure-native:network:VirtualNetwork",
        "azure-native:network:Subnet",
        "azure-native:network:NetworkSecurityGroup",
        "azure-native:network:SecurityRule",
        "azure-native:network:RouteTable",
        "azure-native:network:Route",
        "azure-native:network:NetworkInterface",
        "azure-native:network:LocalNetworkGateway",
        "azure-native:network:VirtualNetworkPeering",
        "azure-native:network:PrivateDnsZoneGroup",
        "azure-native:network:VirtualNetworkLink",
        "azure-native:privatedns:VirtualNetworkLink",
        "azure-native:network:NetworkWatcher",
        "azure-native:dbforpostgresql:AdministratorsMicrosoftEntra",
        "azure-native:redisenterprise:AccessPolicyAssignment",
        "azure-native:redisenterprise:Database",  # its cluster is charged
        "azure-native:dbforpostgresql:Configuration",
        "azure-native:dbforpostgresql:Database",
        "azure-native:storage:ManagementPolicy",
        "azure-native:storage:BlobContainer",  # its account is charged
        "azure-native:storage:BlobServiceProperties",
        "azure-native:keyvault:Vault",  # its operations are charged
        "azure-native:keyvault:AccessPolicy",
        "azure-native:compute:DiskEncryptionSet",  # its key is charged
        "azure-native:monitor:DataCollectionRule",  # what it collects is charged by its workspace
        "azure-native:monitor:DataCollectionRuleAssociation",
        "azure-native:monitor:DataCollectionEndpoint",
        "azure-native:insights:DataCollectionRule",
        "azure-native:insights:DataCollectionRuleAssociation",
        "azure-native:containerservice:MaintenanceConfiguration",
        "azure-native:insights:DiagnosticSetting",  # what it sends is charged by its workspace
        "azure-native:insights:ActionGroup",
        "azure-native:monitor:DiagnosticSetting",
        "azure-native:monitor:ActionGroup",
        "azure-native:operationsmanagement:Solution",
        "azure-native:security:Pricing",
    }
)

KUBERNETES_CHARGED: Final = frozenset(
    {"kubernetes:core/v1:Service", "kubernetes:core/v1:PersistentVolumeClaim", "kubernetes:core/v1:PersistentVolume"}
)
"""Kubernetes objects that may order something of the cloud; all others run on nodes that are paid for already."""


def is_free(type_: str, inputs: dict[str, object]) -> bool:
    """Whether a resource costs nothing by nature."""
    if type_.startswith("kubernetes:"):
        spec = inputs.get("spec")
        orders = isinstance(spec, dict) and spec.get("type") == "LoadBalancer"
        return type_ not in KUBERNETES_CHARGED or (type_.endswith(":Service") and not orders)
    return type_ in FREE or type_.startswith(FREE_PREFIXES)
