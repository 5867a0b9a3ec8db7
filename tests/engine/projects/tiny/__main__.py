"""A network of a few resources; variables of the environment (ECOSYSTEM_TINY_*) ask for more."""

import os

import pulumi
import pulumi_aws as aws

from components import tagging
from stacks.model import Stack


def asked(name: str) -> str:
    return os.environ.get(f"ECOSYSTEM_TINY_{name}", "")


stack = Stack.model_validate_json(pulumi.Config("cloud-ecosystem").require("stack"))
tagging.install(stack)
provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=[stack.clouds.aws.account])
options = pulumi.InvokeOptions(provider=provider)
child = pulumi.ResourceOptions(provider=provider)

vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", opts=child)
subnets = [
    aws.ec2.Subnet(
        f"net-{zone}",
        vpc_id=vpc.id,
        availability_zone=f"eu-west-1{zone}",
        cidr_block=f"10.0.{index}.0/24",
        opts=child,
    )
    for index, zone in enumerate("ab")
]
usage = asked("KEY") or "ENCRYPT_DECRYPT"
key = aws.kms.Key("data", description="keeps", key_usage=usage, opts=child)
for number in range(int(asked("GROUPS") or 0)):
    aws.ec2.SecurityGroup(
        f"group-{number}", vpc_id=vpc.id, description=f"{asked('WORD') or 'group'} {number}", opts=child
    )
if asked("SPEND"):
    for number in range(int(asked("SPEND"))):
        address = aws.ec2.Eip(f"out-{number}", domain="vpc", opts=child)
        aws.ec2.NatGateway(f"out-{number}", subnet_id=subnets[0].id, allocation_id=address.id, opts=child)
if asked("HANG"):
    never: pulumi.Output[str] = pulumi.Output.from_input(__import__("asyncio").get_event_loop().create_future())
    aws.ec2.SecurityGroup("waiting-group", vpc_id=vpc.id, description=never, opts=child)
if asked("SECRET"):
    secret = pulumi.Config("cloud-ecosystem").require_secret("token")
    aws.kms.Key("labelled", description=secret, opts=child)
    secret.apply(lambda value: pulumi.log.info(f"the token is {value}"))
    if asked("SECRET") == "raise":

        def _fail(value: str) -> None:
            raise RuntimeError(f"cannot use {value}")

        secret.apply(_fail)
pulumi.export("vpc", vpc.id)
