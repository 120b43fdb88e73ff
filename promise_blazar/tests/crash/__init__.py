# SPDX-License-Identifier: Apache-2.0
"""Kill the process before and after everything it writes or asks for, and see what becomes of it.

    python -m promise_blazar.tests.crash              every point of every operation
    python -m promise_blazar.tests.crash --every 10   a sample
    python -m promise_blazar.tests.crash --pause      suspended and overtaken instead
    python -m promise_blazar.tests.crash --fail-over  its database goes back meanwhile

A clean run of an operation is watched, and each commit to the database and each outgoing call
that it makes becomes a point. Nobody keeps a list: what is added to the code is found.
"""
