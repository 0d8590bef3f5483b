"""What the shop remembers."""

import os

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from interakt_jobs import new_id

engine = create_engine(os.environ.get("SHOP_DATABASE", "sqlite:///shop.sqlite3"))
Session = sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tables."""


class Order(Base):
    """One order; ``job`` is the id of its message, made in advance; ``message_state`` is empty until that has ended."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str]
    name: Mapped[str]
    quantity: Mapped[int]
    job: Mapped[str] = mapped_column(default=new_id, unique=True)
    message_state: Mapped[str] = mapped_column(default="")


Base.metadata.create_all(engine)
engine.dispose()  # gunicorn forks after loading, and a connection must not be shared
