"""`python -m kanava.local.prepare`: databases and topics on servers that exist, for containers.

KANAVA_POSTGRES and KANAVA_KAFKA name the servers, KANAVA_OWNER_PASSWORD and KANAVA_APP_PASSWORD the secrets.
"""

import os
import sys

from kanava.local import databases, kafka, platform, postgres
from kanava.local.problems import PlatformProblem
from kanava.local.profile import profile

SETTINGS = ("KANAVA_POSTGRES", "KANAVA_KAFKA", "KANAVA_OWNER_PASSWORD", "KANAVA_APP_PASSWORD")


def main() -> None:
    """Make what is missing, then end; running it again changes nothing."""
    if missing := [name for name in SETTINGS if not os.environ.get(name)]:
        raise SystemExit(f"kanava: {', '.join(missing)} must be set. Set them and run this again.")
    try:
        ours = profile("containers").prepare()
        server = postgres.existing(os.environ["KANAVA_POSTGRES"])
        for service in databases.SERVICES:
            databases.prepare(ours, server, service)
        bootstrap = os.environ["KANAVA_KAFKA"]
        members = kafka.brokers_up(bootstrap)
        platform.ensure_topics(bootstrap, replication=min(platform.MOST_REPLICAS, members))
    except PlatformProblem as problem:
        print(f"kanava: {problem}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
