# SPDX-License-Identifier: Apache-2.0
"""Configuration and policy files of Blazar's operators: each word is honoured, mapped or named."""

import configparser
import json
import tempfile
import warnings
from pathlib import Path

from oslo_config import cfg

from promise_blazar import policies
from promise_blazar.cloud.openstack import session
from promise_blazar.conf import blazar, database, opts, unheeded
from promise_blazar.plugins import registry
from promise_blazar.tests import base, tree
from promise_blazar.tests.functional.base import HOST, ServiceTestCase
from promise_blazar.tests.functional.test_commands import CommandTestCase

#: As a deployment in containers writes it.
CONTAINERS = """
[DEFAULT]
debug = False
log_dir = /var/log/deployment/blazar
transport_url = rabbit://openstack:secret@192.0.2.11:5672,openstack:secret@192.0.2.12:5672//
host = 192.0.2.11
port = 1234
os_auth_host = keystone.internal.example
os_auth_port = 5000
os_auth_protocol = https
os_auth_version = v3
os_admin_username = blazar
os_admin_password = very$$secret
os_admin_project_name = service
os_region_name = RegionTwo
identity_service = identity
cafile = /etc/ssl/ca.pem

[api]
api_v2_controllers = oshosts,leases

[manager]
plugins = virtual.instance.plugin,physical.host.plugin,virtual.floatingip.plugin,

[keystone_authtoken]
service_type = reservation
www_authenticate_uri = https://keystone.example
auth_url = https://keystone.internal.example
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = service
username = blazar
password = secret
service_token_roles_required = True
region_name = RegionTwo
memcache_security_strategy = ENCRYPT
memcache_secret_key = key
memcached_servers = 192.0.2.11:11211

[database]
connection = mysql+pymysql://blazar:secret@192.0.2.10/blazar
connection_recycle_time = 10
max_pool_size = 1
max_retries = -1

[nova]
aggregate_freepool_name = lent

[enforcement]
enabled_filters = MaxLeaseDurationFilter
max_lease_duration = 3600

[oslo_messaging_notifications]
driver = noop

[oslo_messaging_rabbit]
rabbit_quorum_queue = True

[oslo_policy]
policy_file = policy.yaml

[oslo_concurrency]
lock_path = /var/lib/blazar/tmp
"""

#: As a developer's machine has it, and as it was some years ago.
DEVELOPER = """
[DEFAULT]
os_auth_version = v3
os_auth_port = 80
os_auth_prefix = identity
os_admin_username = blazar
os_admin_password = secret
os_admin_project_name = service
host = 192.0.2.7
cleaning_time = 5
use_syslog = False

[manager]
plugins = physical.host.plugin,virtual.instance.plugin
event_max_retries = 2
minutes_before_end_lease = 30

[nova]
compute_service = compute_legacy
endpoint_type = public

[placement]
endpoint_type = public

[physical:host]
aggregate_freepool_name = pool
blazar_az_prefix = lease_
randomize_host_selection = True
enable_polling_monitor = True
healing_interval = 10

[database]
connection = sqlite://
"""

#: What has no effect of the one and of the other.
UNHEEDED = {
    "DEFAULT": "identity_service os_auth_version",
    "api": "api_v2_controllers",
    "enforcement": "enabled_filters max_lease_duration",
    "oslo_concurrency": "lock_path",
    "oslo_messaging_notifications": "driver",
}
UNHEEDED_BY_DEVELOPERS = {
    "DEFAULT": "cleaning_time os_auth_version",
    "manager": "event_max_retries",
    "physical:host": "enable_polling_monitor healing_interval randomize_host_selection",
}


class FileCase(base.TestCase):
    def read(self, text):
        """The configuration, and what of it has no effect, by section."""
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "blazar.conf"
        path.write_text(text)
        self.conf = cfg.ConfigOpts()
        opts.register(self.conf)
        self.conf([f"--config-file={path}"], project="promise-blazar")
        blazar.take_login(self.conf, unheeded.sections(self.conf))
        found: dict[str, list[str]] = {}
        for each in unheeded.unheeded(self.conf):
            found.setdefault(each.section, []).append(each.option)
        return {section: " ".join(options) for section, options in found.items()}


class TestConfiguration(FileCase):
    def test_g5_a_deployment_s_file(self):
        self.assertEqual(UNHEEDED, self.read(CONTAINERS))
        conf = self.conf
        self.assertEqual(("192.0.2.11", 1234), (conf.api.bind_host, conf.api.bind_port))
        self.assertEqual("lent", conf.nova.aggregate_freepool_name)
        for group in ("nova", "placement", "glance"):
            self.assertEqual("RegionTwo", conf[group].region_name)
        login = conf.openstack
        self.assertEqual(
            ("password", "https://keystone.internal.example:5000/v3", "/etc/ssl/ca.pem"),
            (login.auth_type, login.auth_url, login.cafile),
        )
        self.assertEqual(
            ("blazar", "very$secret", "service", "Default", "Default"),
            (
                login.username,
                login.password,
                login.project_name,
                login.user_domain_name,
                login.project_domain_name,
            ),
        )
        self.assertEqual(
            {"physical:host", "virtual:instance"},
            registry.installed(conf.manager.plugins).creatable,
        )
        self.assertEqual(
            {"connection_recycle_time": 10, "max_pool_size": 1, "max_retries": -1},
            database.engine_options(conf),
        )

    def test_g5_a_developer_s_file(self):
        self.assertEqual(UNHEEDED_BY_DEVELOPERS, self.read(DEVELOPER))
        conf = self.conf
        self.assertEqual("http://127.0.0.1:80/identity/v3", conf.openstack.auth_url)
        self.assertEqual("pool", conf.nova.aggregate_freepool_name)
        self.assertEqual("lease_", conf["physical:host"].blazar_az_prefix)
        self.assertEqual(30, conf.manager.minutes_before_end_lease)
        self.assertEqual("compute_legacy", session.where(conf, "nova")["service_type"])
        self.assertEqual(["public"], session.where(conf, "nova")["interface"])
        self.assertEqual(["public"], session.where(conf, "placement")["interface"])

    def test_g5_every_option_of_a_file_is_known_or_named(self):
        """Nothing falls through: what is not named is an option of ours or of a library's."""
        for text in (CONTAINERS, DEVELOPER):
            named = self.read(text)
            parser = configparser.ConfigParser(
                interpolation=None, default_section="none", strict=False
            )
            parser.read_string(text)
            for section in parser.sections():
                for option in parser[section]:
                    known = option not in named.get(section, "").split()
                    if known and not option.startswith("os_a"):
                        self.assertIsNone(blazar.fate(section, option), (section, option))

    def test_g5_a_login_of_ours_goes_before_blazar_s(self):
        ours = "[openstack]\nauth_type = password\nauth_url = http://ours\nusername = we\n"
        self.assertIn("os_admin_username", self.read(CONTAINERS + ours)["DEFAULT"])
        self.assertEqual("password", self.conf.openstack.auth_type)
        session.load(self.conf)
        self.assertEqual("we", self.conf.openstack.username)

    def test_g5_words_that_are_spelt_wrong_are_named_with_what_may_be_meant(self):
        self.read("[manager]\nworker = 3\n[managers]\nworkers = 3\n")
        first, second = map(str, unheeded.unheeded(self.conf))
        self.assertIn("[manager] worker has no effect", first)
        self.assertIn("workers is one", first)
        self.assertIn("there is no such section", second)

    def test_g5_options_of_another_login_are_known(self):
        """Each login has its own; so has a section that several logins share."""
        text = (
            "[openstack]\nauth_section = who\n[who]\nauth_type = v3applicationcredential\n"
            "application_credential_id = x\napplication_credential_secret = y\nauth_url = z\n"
            "[keystone_authtoken]\nauth_type = v3oidcpassword\nidentity_provider = x\nwrong = 1\n"
        )
        self.assertEqual({"keystone_authtoken": "wrong"}, self.read(text))
        self.assertEqual({}, self.read("[openstack]\nauth_type = not-installed\nown = 1\n"))

    def test_g5_files_of_a_directory_are_looked_at_too(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (directory / "10.conf").write_text("[api]\nnothing = 1\n")
        conf = cfg.ConfigOpts()
        opts.register(conf)
        conf([f"--config-dir={directory}"], project="promise-blazar", default_config_files=[])
        self.assertEqual(["nothing"], [each.option for each in unheeded.unheeded(conf)])

    def test_the_sample_has_the_sections_that_a_file_may_have(self):
        text = (tree.ROOT / "etc/promise-blazar/config-generator.conf").read_text()
        namespaces = [line.split(" = ")[1] for line in text.splitlines() if "namespace" in line]
        self.assertEqual(sorted(unheeded.NAMESPACES), sorted(namespaces))


class TestNamed(CommandTestCase):
    """Somebody is told: at each start, and by the check before it."""

    def test_g5_at_the_start_and_by_the_upgrade_check(self):
        conf = self.configured(
            "[DEFAULT]\ntransport_url = fake:/\ncleaning_time = 5\n"
            f"[database]\nconnection = sqlite:///{self.directory / 'db.sqlite'}\n"
            f"[cloud]\ndriver = simulated\nsimulated_state = {self.directory / 'cloud.sqlite'}\n"
            "[enforcement]\nmax_lease_duration = 3600\n"
            "[manager]\nplugins = physical.host.plugin,flavor.instance.plugin\n"
            f"[oslo_policy]\npolicy_file = {self.directory / 'policy.yaml'}\n"
            f"[api]\nauth_strategy = noauth\nbind_port = {self.free_port()}\n"
        )
        (self.directory / "policy.yaml").write_text('{"blazar:floatingips:get": "@"}')
        self.run_command("promise-blazar-manage", conf, "db", "sync")
        checked = self.run_command("promise-blazar-status", conf, "upgrade", "check", "--json")
        self.assertEqual(1, checked.returncode, checked.stdout + checked.stderr)
        answer = json.loads(checked.stdout)
        details = {each["check"]: each["details"] or "" for each in answer["checks"]}
        self.assertIn("[DEFAULT] cleaning_time has no effect", details["Configuration"])
        self.assertIn("[enforcement] max_lease_duration has no effect", details["Configuration"])
        self.assertIn("flavor.instance.plugin has no effect", details["Configuration"])
        self.assertIn("blazar:floatingips:get has no effect", details["Policy"])
        for name in ("promise-blazar-manager", "promise-blazar-api"):
            self.start(name, conf)
            log = self.directory / f"{name}.log"
            self.eventually(lambda log=log: "is ready" in log.read_text())
            self.assertIn("[enforcement] max_lease_duration has no effect", log.read_text())
        self.assertIn("blazar:floatingips:get has no effect", log.read_text())

    def test_the_upgrade_check_goes_through_what_is_not_configured(self):
        conf = self.configured("[api]\nthreads = many\n[cloud]\ndriver = openstack\n")
        checked = self.run_command("promise-blazar-status", conf, "upgrade", "check", "--json")
        self.assertEqual(2, checked.returncode, checked.stdout + checked.stderr)
        details = {each["check"]: each["details"] for each in json.loads(checked.stdout)["checks"]}
        self.assertIn("threads", details["Configuration"])
        self.assertIn("[database] connection is not set", details["Schema"])
        self.assertIn("auth_type", details["OpenStack"])

    def test_what_cannot_be_read_is_said_in_one_line(self):
        policy = self.directory / "policy.yaml"
        policy.write_text("{")
        database = f"[database]\nconnection = sqlite:///{self.directory / 'db.sqlite'}\n"
        simulated = f"[cloud]\ndriver = simulated\nsimulated_state = {self.directory / 'c'}\n"
        forbidding = f"[oslo_policy]\npolicy_file = {policy}\n[api]\nauth_strategy = noauth\n"
        bad = {
            "no URL of a database": ("manage", "[database]\nconnection = nonsense\n"),
            "not installed": ("manage", "[database]\nconnection = mysql://a:b@c/d\n"),
            "Failed to parse": ("manage", "connection before any section\n"),
            "not valid": ("manager", f"{database}[api]\nhealth_timeout = long\n"),
            "virtual.pony": (
                "manager",
                f"{database}{simulated}[manager]\nplugins = virtual.pony\n",
            ),
            "policy.yaml": (
                "api",
                f"[DEFAULT]\ntransport_url = fake:/\n{simulated}{forbidding}",
            ),
        }
        self.run_command("promise-blazar-manage", self.configured(database), "db", "sync")
        for words, (command, text) in bad.items():
            with self.subTest(words):
                arguments = ("db", "version") if command == "manage" else ()
                conf = self.configured(text)
                ended = self.run_command(f"promise-blazar-{command}", conf, *arguments)
                self.assertEqual(1, ended.returncode)
                self.assertIn(words, ended.stderr.splitlines()[-1])
                self.assertNotIn("Traceback", ended.stderr)


#: Rules of a deployment, under today's names and under the first ones.
TODAY = {
    "admin": "is_admin:True or role:admin",
    "lab": "role:lab_admin",
    "blazar:leases:post": "rule:project_member_or_admin or rule:lab",
    "blazar:leases:get": "rule:admin_or_owner",
    "blazar:oshosts:get": "rule:project_reader_or_admin",
    "blazar:oshosts:get_allocations": "rule:project_member_or_admin",
    "blazar:floatingips:get": "rule:project_reader_or_admin",
}
FIRST = {
    "admin": "is_admin:True or role:admin or role:masterofuniverse",
    "admin_or_owner": "rule:admin or project_id:%(project_id)s",
    "default": "!",
    "admin_api": "rule:admin",
    "blazar:leases:get": "rule:admin_or_owner",
    "blazar:leases:create": "role:booker",
    "blazar:leases:update": "role:booker",
    "blazar:plugins:get": "@",
    "blazar:oshosts:get": "rule:admin_or_owner",
    "blazar:oshosts:create": "rule:admin_api",
    "blazar:oshosts:update": "role:racker",
}


class TestPolicies(ServiceTestCase):
    def with_policies(self, rules):
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "policy.yaml"
        path.write_text(json.dumps(rules))
        self.conf.set_override("policy_file", str(path), "oslo_policy")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.api.application = self.application(self.service)
            enforcer = policies.new_enforcer(self.conf)
        return policies.without_effect(self.conf, enforcer)

    def status(self, verb, path, token, body=None):
        return self.call(verb, path, body, token).status_code

    def test_a_policy_file_with_the_names_of_today(self):
        named = self.with_policies(TODAY)
        self.assertEqual(
            ["Policy rule blazar:floatingips:get has no effect: nothing asks for it"], named
        )
        body = self.body(HOST)
        self.assertEqual(403, self.status("POST", "/v1/leases", "eve:demo:reader", body))
        self.assertEqual(201, self.status("POST", "/v1/leases", "eve:demo:lab_admin", body))
        self.assertEqual(200, self.status("GET", "/v1/os-hosts", "bob:demo:reader"))
        self.assertEqual(200, self.status("GET", "/v1/os-hosts/allocations", "bob:demo"))
        self.assertEqual(403, self.status("GET", "/v1/os-hosts/allocations", "bob:demo:reader"))
        lists = [
            self.call("GET", "/v1/leases", token=who) for who in ("a:demo:any", "a:other:any")
        ]
        self.assertEqual([1, 0], [len(each.json["leases"]) for each in lists])

    def test_a_policy_file_with_the_first_names(self):
        named = self.with_policies(FIRST)
        self.assertEqual(
            ["Policy rule blazar:plugins:get has no effect: nothing asks for it"], named
        )
        body = self.body(HOST)
        self.assertEqual(403, self.status("POST", "/v1/leases", "eve:demo", body))
        self.assertEqual(201, self.status("POST", "/v1/leases", "eve:demo:booker", body))
        lease = self.call("GET", "/v1/leases", token="eve:demo:booker").json["leases"][0]
        path = f"/v1/leases/{lease['id']}"
        self.assertEqual(403, self.status("PUT", path, "eve:demo", {"name": "x"}))
        self.assertEqual(200, self.status("PUT", path, "eve:demo:booker", {"name": "x"}))
        self.assertEqual(200, self.status("GET", "/v1/os-hosts", "eve:demo:any"))
        host = f"/v1/os-hosts/{self.registered_hosts()['compute-1']['id']}"
        self.assertEqual(403, self.status("PUT", host, "admin:x", {"gpu": "yes"}))
        self.assertEqual(200, self.status("PUT", host, "eve:demo:racker", {"gpu": "yes"}))

    def test_a_policy_file_that_is_not_there_is_named(self):
        self.conf.set_override("policy_file", "/nowhere/policies.yaml", "oslo_policy")
        (words,) = policies.without_effect(self.conf, policies.new_enforcer(self.conf))
        self.assertIn("there is no /nowhere/policies.yaml", words)
