"""A workbook of one sheet (XLSX), written row by row: a tenth of the work that a library makes.

ECMA-376 asks for six parts in a ZIP archive; figures stay exact decimals, text is never a formula.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Final
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

Cell = str | Decimal
HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
OF_SHEETS: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLE_OF_DIGITS: Final = {0: 1, 2: 2, 3: 3}
"""Cell formats of the styles below by the decimals of a figure; others are shown as they are."""
BOLD: Final = 4
BLOCK_ROWS: Final = 500

CONTENT_TYPES: Final = (
    f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{OF_SHEETS}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{OF_SHEETS}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{OF_SHEETS}.worksheet+xml"/>'
    "</Types>"
)
STYLES: Final = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="#,##0.000"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="5"><xf/>'
    '<xf numFmtId="3" applyNumberFormat="1"/><xf numFmtId="4" applyNumberFormat="1"/>'
    '<xf numFmtId="164" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


def workbook(rows: Iterable[Sequence[Cell]], title: str, widths: Sequence[int]) -> IO[bytes]:
    """The workbook in a temporary file, at its beginning; its first row and column stay in view."""
    file = TemporaryFile()  # noqa: SIM115 - whoever reads it to its end closes it
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for path, text in _frame(title).items():
            archive.writestr(path, HEAD + text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write((HEAD + _top(widths)).encode())
            block: list[str] = []
            for number, row in enumerate(rows):
                block.append(f"<row>{''.join(map(_cell if number else _head, row))}</row>")
                if len(block) == BLOCK_ROWS:
                    sheet.write("".join(block).encode())
                    block.clear()
            sheet.write(f"{''.join(block)}</sheetData></worksheet>".encode())
    file.seek(0)
    return file


def _frame(title: str) -> dict[str, str]:
    """The parts around the sheet."""
    return {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
            f'<sheets><sheet name={quoteattr(title)} sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relations(
            ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")
        ),
        "xl/styles.xml": STYLES,
    }


def _relations(*targets: tuple[str, str]) -> str:
    told = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{told}</Relationships>'


def _top(widths: Sequence[int]) -> str:
    columns = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
        for number, width in enumerate(widths, start=1)
    )
    return (
        f'<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane xSplit="1" ySplit="1" topLeftCell="B2" activePane="bottomRight" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{columns}</cols><sheetData>"
    )


def _head(value: Cell) -> str:
    return _text(str(value), BOLD)


def _cell(value: Cell) -> str:
    if isinstance(value, str):
        return _text(value) if value else "<c/>"
    style = STYLE_OF_DIGITS.get(-int(value.as_tuple().exponent), 0)
    return f'<c s="{style}"><v>{value:f}</v></c>'


def _text(value: str, style: int = 0) -> str:
    shown = escape(value)
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'
