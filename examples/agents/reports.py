"""Tools that take their time: "Chart the sales of tea", "Audit the stock of cups".

One tells how far it is, has a limit of time, has the model correct a wrong call, and returns an image beside its
figures. The other is a generator: what it yields is told as it comes, and the last of it is the result.
"""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Sequence

from dayfly.agents.sdk import AgentDefinition, Tool, ToolContext, ToolFile, ToolRetry

# Stands for a warehouse that is slow to ask: euros sold in each quarter.
SALES = {"tea": (120, 90, 140, 210), "cups": (30, 45, 40, 80)}
SECONDS = 0.3


def png(columns: Sequence[int], *, height: int = 64, width: int = 16) -> bytes:
    """A bar chart in grey, as small as a PNG can be made without a library."""
    top = max(columns)
    rows = (
        b"\0" + b"".join((b"\x30" if value * height >= (height - y) * top else b"\xff") * width for value in columns)
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width * len(columns), height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def known(product: str) -> str:
    """The product as the warehouse names it. The model is told the names where it gave another."""
    if product.lower() not in SALES:
        raise ToolRetry(f"There is no product {product!r}; there are {', '.join(SALES)}.")
    return product.lower()


async def chart_sales(context: ToolContext, product: str) -> list[object]:
    """Draws the sales of a product by quarter.

    Args:
        product: Its name.
    """
    sold: list[int] = []
    quarters = SALES[known(product)]
    for quarter, euros in enumerate(quarters, start=1):
        await context.progress(f"quarter {quarter} of {len(quarters)}")
        await asyncio.sleep(SECONDS)
        sold.append(euros)
    return [{"product": product, "euros": sold}, ToolFile(f"{known(product)}.png", "image/png", png(sold))]


async def audit_stock(product: str) -> AsyncIterator[object]:
    """Counts what is left of a product, shelf by shelf.

    Args:
        product: Its name.
    """
    left = 0
    for shelf, count in enumerate(SALES[known(product)], start=1):
        yield f"shelf {shelf}"
        await asyncio.sleep(SECONDS)
        left += count % 7
    yield {"product": product, "left": left}


agent = AgentDefinition(
    instructions="You report on a shop's sales and stock. Look at the chart before you speak of it.",
    tools=(Tool(chart_sales, timeout_s=20, retries=2, idempotent=True), Tool(audit_stock, idempotent=True)),
)
