# SPDX-License-Identifier: Apache-2.0
"""Keystone, Placement, Glance, Neutron (API only) and Nova, with as many nova-compute services
as asked for, on their own MariaDB, RabbitMQ and memcached.

The only thing that is not real is the hypervisor: the computes use Nova's own fake virt driver.
Everything listens on loopback, runs without an init system and keeps all its state under one
directory. Python's standard library only: this runs before anything is installed.
"""
