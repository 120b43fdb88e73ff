# SPDX-License-Identifier: Apache-2.0
"""The declarative base of all tables, and what every table is made with."""

from typing import Any

from sqlalchemy.orm import DeclarativeBase

# SQLite gives a deleted row's number to the next row unless told not to; MariaDB's other
# engines know no transactions, and its other collations no difference between k and K.
OPTIONS = {
    "sqlite_autoincrement": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


class Base(DeclarativeBase):
    __table_args__: Any = OPTIONS
