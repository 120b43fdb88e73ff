# SPDX-License-Identifier: Apache-2.0
"""Amounts of flavors: as Nova asks Placement for a server of one."""

from promise_blazar.model import flavors
from promise_blazar.tests import base


class TestAmounts(base.TestCase):
    def of(self, swap_mb: int = 0, disk_gb: int = 20, **specs: str) -> dict[str, int]:
        extra_specs = {name.replace("__", ":", 1): value for name, value in specs.items()}
        return flavors.amounts(4, 8192, disk_gb, swap_mb, extra_specs)

    def test_its_figures(self) -> None:
        self.assertEqual({"VCPU": 4, "MEMORY_MB": 8192, "DISK_GB": 20}, self.of())

    def test_what_is_nothing_is_left_out(self) -> None:
        self.assertEqual({"VCPU": 4, "MEMORY_MB": 8192}, self.of(disk_gb=0))

    def test_swap_is_disk_by_whole_gibibytes(self) -> None:
        self.assertEqual(21, self.of(swap_mb=1)["DISK_GB"])
        self.assertEqual(22, self.of(swap_mb=2048)["DISK_GB"])

    def test_extra_specs_say_otherwise(self) -> None:
        found = self.of(
            resources__VCPU="0", resources__CUSTOM_GPU=" 2 ", resources__MEMORY_MB="100"
        )
        self.assertEqual({"MEMORY_MB": 100, "DISK_GB": 20, "CUSTOM_GPU": 2}, found)

    def test_numbered_groups_come_on_top(self) -> None:
        found = self.of(resources1__CUSTOM_GPU="1", resources_b__CUSTOM_GPU="1")
        self.assertEqual(2, found["CUSTOM_GPU"])

    def test_what_is_no_amount_is_no_condition(self) -> None:
        for value in ("-1", "many", "1.5", "9" * 30, ""):
            self.assertEqual(self.of(), self.of(resources__VCPU=value))
        self.assertEqual(self.of(), self.of(trait__HW_CPU_X86_AVX="required"))

    def test_processors_of_ones_own(self) -> None:
        found = self.of(hw__cpu_policy="dedicated")
        self.assertEqual({"PCPU": 4, "MEMORY_MB": 8192, "DISK_GB": 20}, found)
        found = self.of(hw__cpu_policy="dedicated", hw__emulator_threads_policy="isolate")
        self.assertEqual(5, found["PCPU"])
        for mask, own in (("0-1", 2), ("^0-1", 2), ("0-2,^1", 2), ("3", 1), ("0-99999", 4)):
            found = self.of(hw__cpu_policy="mixed", hw__cpu_dedicated_mask=mask)
            self.assertEqual((4 - own, own), (found.get("VCPU", 0), found["PCPU"]), mask)
        self.assertEqual(self.of(), self.of(hw__cpu_policy="mixed"))
