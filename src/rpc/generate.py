#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""generate.py: C from the protocol tables and our overlay.

    generate.py PROTOCOL-FOLDER OVERLAY.json WHAT > FILE

WHAT is one of
    types.h       constants, enums, structs, procedure and event numbers of every program
    types.c       the codec's descriptors of these structs
    handlers.h    prototypes of the handlers that the overlay names
    procedures.c  the procedure tables with the handlers in them
    coverage.md   which procedure is answered, and how

The tables are ../../protocol/*.json (their README is the reference). The overlay is what is ours
about a procedure, keyed by its name ("domain_get_state"; of other programs than remote with the
program in front, "qemu.domain_monitor_command"). A row's columns:

    run              "inline": answered from memory on the event thread, never waits
                     "quick": the same, but for what would take long, which its handler passes on to
                     a job (virNetCallDefer)
                     "job": may wait, runs on a thread of the job pool
                     "forward": goes undecoded to another daemon, whose reply comes late
    unopened         true: also allowed before connect_open
    unauthenticated  true: also allowed before authentication

A procedure without a row is answered "not supported", naming the API function. Anything unknown,
in the overlay or in the tables, is an error: nothing is passed over in silence.

C names. Struct S of program P is P_S; an object (`domain`) is P_nonnull_domain as clients know it.
Strings are const char *; an optional one is NULL when absent. Other optional values are pointers.
A variable array x is a pair: uint32_t x_len; T *x_val. A union is a struct with its discriminant
first and its arms in an anonymous union. What is small on the wire (char, short) is small in C.
"""

import hashlib
import json
import pathlib
import sys

PROGRAMS = ("rpc", "remote", "qemu", "admin", "keepalive", "handler")

# Structs that name an object; clients know them as "nonnull".
OBJECTS = {
    "remote": {"domain", "network", "network_port", "nwfilter", "nwfilter_binding", "interface",
               "storage_pool", "storage_vol", "node_device", "secret", "domain_checkpoint",
               "domain_snapshot"},
    "admin": {"server", "client"},
}

# table type: (C type, kind of the codec, bytes on the wire)
SCALARS = {
    "int": ("int32_t", "INT", 4), "uint": ("uint32_t", "INT", 4),
    "hyper": ("int64_t", "HYPER", 8), "uhyper": ("uint64_t", "HYPER", 8),
    "double": ("double", "HYPER", 8),
    "char": ("char", "CHAR", 4), "uchar": ("uint8_t", "UCHAR", 4),
    "short": ("int16_t", "SHORT", 4), "ushort": ("uint16_t", "USHORT", 4),
}

C_WORDS = {"auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
           "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
           "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
           "unsigned", "void", "volatile", "while"}

TABLE_KEYS = {"format", "program", "number", "number_hex", "version", "evidence", "imports",
              "constants", "enums", "flag_values", "features", "typedefs", "unions", "structs",
              "event_registration", "events", "procedures"}
PROCEDURE_KEYS = {"num", "name", "kind", "args", "ret", "msg", "stream", "sparse_flag", "priority",
                  "acl", "filter", "rw", "fds", "special", "since", "guess",
                  "abi", "deadline", "takes", "gives"}
FIELD_KEYS = {"name", "type", "array", "max", "optional"}
CONDITIONS = {"if_all_flags", "if_any_flag", "if_no_flag", "if_arg"}
OVERLAY_KEYS = {"run", "unopened", "unauthenticated"}
RUNS = {"inline", "quick", "job", "forward"}

# Words of procedure names that the API's function names do not simply capitalise.
WORDS = {"xml": "XML", "uuid": "UUID", "id": "ID", "os": "OS", "uri": "URI", "cpu": "CPU",
         "nmi": "NMI", "nwfilter": "NWFilter", "nwfilters": "NWFilters", "iothread": "IOThread",
         "fsinfo": "FSInfo", "fsfreeze": "FSFreeze", "fsthaw": "FSThaw", "fstrim": "FSTrim",
         "dhcp": "DHCP", "sev": "SEV", "pm": "PM", "ssh": "SSH", "fd": "FD", "wwn": "WWN",
         "scsi": "SCSI", "mac": "MAC", "threadpool": "ThreadPool"}


class TableError(Exception):
    """A table says something that this generator does not know."""


def only(keys, row, where):
    """Refuses a row with a column that is not documented."""
    unknown = set(row) - keys
    if unknown:
        raise TableError(f"{where}: unknown column {', '.join(sorted(unknown))}")


def camel(name):
    """domain_get_xml_desc -> DomainGetXMLDesc"""
    return "".join(WORDS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))


class Type:
    """A scalar, struct, union or one of the two raw kinds, as fields refer to it."""

    def __init__(self, kind, c_name, min_wire, struct=None):
        self.kind, self.c_name, self.min_wire, self.struct = kind, c_name, min_wire, struct

    @property
    def xdr(self):
        return self.struct.xdr if self.struct else None


class Field:
    """One member of a struct, or one arm of a union."""

    def __init__(self, table, row, where):
        only(FIELD_KEYS, row, f"{where}.{row.get('name')}")
        self.name = row["name"] + ("_" if row["name"] in C_WORDS else "")
        self.where = f"{where}.{self.name}"
        self.optional = bool(row.get("optional"))
        name, array, limit = row["type"], row.get("array"), row.get("max")
        inner = table.typedef(name, self.where)
        self.string_max = 0
        if inner and inner["type"] == "string":
            self.type = Type("STRING", "const char *", 4)
            self.string_max = inner["max"]
        elif inner and array:
            raise TableError(f"{self.where}: array of {name}")
        elif inner:
            array, limit = inner["array"], inner["max"]
            self.type = table.find(inner["type"], self.where)
        else:
            self.type = table.find(name, self.where)
        if array not in (None, "fixed", "variable") or (array is None) != (limit is None):
            raise TableError(f"{self.where}: array {array} of {limit}")
        if array and self.optional:
            raise TableError(f"{self.where}: optional array")
        if self.type.kind == "OPAQUE" and not array:
            raise TableError(f"{self.where}: opaque without length")
        self.array = array
        self.limit = table.number(limit) if limit is not None else 0

    def shape(self):
        if self.optional and self.type.kind != "STRING":
            return "OPTIONAL"
        return {None: "PLAIN", "fixed": "FIXED", "variable": "VARIABLE"}[self.array]

    def min_wire(self):
        if self.optional or self.array == "variable":
            return 4
        if self.array == "fixed":
            each = self.type.min_wire * self.limit
            return (each + 3) // 4 * 4
        return self.type.min_wire

    def member(self):
        """Its declaration in C."""
        c_name = self.type.c_name
        space = "" if c_name.endswith("*") else " "
        if self.array == "variable":
            return (f"uint32_t {self.name}_len;", f"{c_name}{space}*{self.name}_val;")
        if self.array == "fixed":
            return (f"{c_name}{space}{self.name}[{self.limit}];",)
        if self.shape() == "OPTIONAL":
            return (f"{c_name}{space}*{self.name};",)
        return (f"{c_name}{space}{self.name};",)

    def row(self, struct, arm=0):
        """Its descriptor. Strings keep their byte limit in .max and their item count in .count."""
        value = self.name + ("_val" if self.array == "variable" else "")
        kind = self.type.kind
        if kind == "STRING" and self.optional:
            kind = "OPTIONAL_STRING"
        parts = [f'"{self.name}"', f"VIR_XDR_{kind}", f"VIR_XDR_{self.shape()}",
                 f"offsetof({struct}, {value})",
                 f"offsetof({struct}, {self.name}_len)" if self.array == "variable" else "0",
                 str(self.limit), str(self.string_max),
                 f"&{self.type.xdr}" if self.type.xdr else "NULL", str(arm)]
        return "{" + ", ".join(parts) + "}"


class Struct:
    """A struct or union of a program."""

    def __init__(self, name, fields, arms=None):
        self.name, self.fields, self.arms = name, fields, arms
        if arms:
            self.min_wire = 4 + min(field.min_wire() for _, field in arms)
        else:
            self.min_wire = sum(field.min_wire() for field in fields)

    @property
    def xdr(self):
        return f"{self.name}_xdr"

    def declaration(self):
        lines = ["typedef struct {"]
        for field in self.fields:
            lines += [f"    {line}" for line in field.member()]
        if self.arms:
            lines.append("    union {")
            for _, field in self.arms:
                lines += [f"        {line}" for line in field.member()]
            lines.append("    };")
        lines.append(f"}} {self.name};")
        return lines

    def descriptor(self):
        rows = [field.row(self.name) for field in self.fields]
        rows += [field.row(self.name, case) for case, field in self.arms or []]
        lines = [f"static const virXdrField {self.name}_fields[] = {{"]
        lines += [f"    {row}," for row in rows]
        lines.append("};")
        union = "true" if self.arms else "false"
        lines.append(f'const virXdrType {self.xdr} = {{"{self.name}", sizeof({self.name}), '
                     f"{self.min_wire}, {len(rows)}, {union}, {self.name}_fields}};")
        return lines


class Program:
    """One table, its types resolved."""

    def __init__(self, name, data, others):
        only(TABLE_KEYS, data, name)
        if data["format"] != 1:
            raise TableError(f"{name}: format {data['format']}")
        self.name, self.data, self.others = name, data, others
        self.structs = {}  # by table name, in an order that C accepts
        self._open = set()
        for table_name in list(data["unions"]) + list(data["structs"]):
            self.struct(table_name)
        self.procedures = [Procedure(self, row) for row in data["procedures"]]
        numbers = [procedure.num for procedure in self.procedures]
        if len(set(numbers)) != len(numbers):
            raise TableError(f"{name}: a procedure number twice")

    def number(self, value):
        return value if isinstance(value, int) else self.data["constants"][value]

    def c_name(self, table_name):
        middle = "nonnull_" if table_name in OBJECTS.get(self.name, ()) else ""
        return f"{self.name}_{middle}{table_name}"

    def typedef(self, name, where):
        """The typedef of that name with its limit as a number, or None."""
        program, _, last = name.rpartition(".")
        if program:
            return self.imported(program, where).typedef(last, where)
        if name not in self.data["typedefs"]:
            return None
        row = self.data["typedefs"][name]
        only({"type", "array", "max"}, row, name)
        return dict(row, max=self.number(row["max"]))

    def imported(self, program, where):
        if program not in self.data.get("imports", ()):
            raise TableError(f"{where}: {program} is not imported")
        return self.others[program]

    def find(self, name, where):
        """The type a field refers to."""
        if name in SCALARS:
            c_name, kind, wire = SCALARS[name]
            return Type(kind, c_name, wire)
        if name in self.data["enums"]:
            return Type("INT", "int32_t", 4)
        if name == "opaque":
            return Type("OPAQUE", "uint8_t", 1)
        if "." in name:
            program, _, name = name.partition(".")
            struct = self.imported(program, where).struct(name)
        elif name in self.data["structs"] or name in self.data["unions"]:
            struct = self.struct(name)
        else:
            raise TableError(f"{where}: unknown type {name}")
        return Type("STRUCT", struct.name, struct.min_wire, struct)

    def struct(self, table_name):
        """The struct or union of that name, made at first use so that what it holds comes first."""
        if table_name in self.structs:
            return self.structs[table_name]
        if table_name in self._open:
            raise TableError(f"{self.name}.{table_name}: holds itself")
        self._open.add(table_name)
        where = f"{self.name}.{table_name}"
        if table_name in self.data["unions"]:
            row = self.data["unions"][table_name]
            only({"discriminant", "arms"}, row, where)
            fields = [Field(self, row["discriminant"], where)]
            arms = []
            for arm in row["arms"]:
                only({"case", "label"} | FIELD_KEYS, arm, where)
                inner = {key: arm[key] for key in arm if key not in ("case", "label")}
                arms.append((arm["case"], Field(self, inner, where)))
            struct = Struct(self.c_name(table_name), fields, arms)
        else:
            fields = [Field(self, row, where) for row in self.data["structs"][table_name]]
            struct = Struct(self.c_name(table_name), fields)
            if not fields:
                raise TableError(f"{where}: no fields")
        self.structs[table_name] = struct
        return struct


class Procedure:
    """A row of a table, and what the overlay adds to it."""

    def __init__(self, program, row):
        where = f"{program.name}.{row.get('name')}"
        only(PROCEDURE_KEYS, row, where)
        if row["kind"] not in ("call", "stream", "event"):
            raise TableError(f"{where}: kind {row['kind']}")
        self.program, self.row, self.where = program, row, where
        self.num, self.name, self.kind = row["num"], row["name"], row["kind"]
        self.args = self._struct(row.get("args") or row.get("msg"))
        self.ret = self._struct(row.get("ret"))
        self.overlay = {}
        self.key = self.name if program.name == "remote" else f"{program.name}.{self.name}"

    def _struct(self, table_name):
        return self.program.struct(table_name) if table_name else None

    @property
    def run(self):
        return self.overlay.get("run")

    @property
    def answered(self):
        return self.run in ("inline", "quick", "job")

    @property
    def handler(self):
        prefix = {"remote": "", "qemu": "Qemu", "admin": "Admin"}[self.program.name]
        return f"virApi{prefix}{camel(self.name)}"

    @property
    def function(self):
        """The API function a client called to get here, as error texts name it."""
        return api_function(self.program.name, self.name)

    @property
    def refusal(self):
        """What the refusal to a read-only client says, where it is not the usual text."""
        mark = self.row.get("rw")
        if isinstance(mark, dict) and self.name.endswith("_get_xml_desc"):
            return f"{self.function} with secure flag"
        return None

    def digest(self):
        """What both sides of a hook must agree on: every field of its messages, 16 bytes of it."""
        text = json.dumps([self.name, self.row["abi"], self.row.get("takes"), self.row.get("gives"),
                           layout(self.args), layout(self.ret)])
        return hashlib.sha256(text.encode()).digest()[:16]

    def flags(self, names):
        values = self.program.data["flag_values"]
        total = 0
        for name in names:
            total |= values[name]
        return total

    def condition(self, row):
        """C initialiser of a virNetCondition."""
        if row is True or row is None:
            return "{VIR_NET_IF_ALWAYS, 0, 0}" if row else "{VIR_NET_IF_NEVER, 0, 0}"
        only(CONDITIONS, row, self.where)
        if len(row) != 1:
            raise TableError(f"{self.where}: one condition, not {len(row)}")
        (kind, value), = row.items()
        if kind == "if_arg":
            member, wanted = value[0], self.flags([value[1]])
        else:
            member, wanted = "flags", self.flags(value)
        types = {field.name: field.type for field in self.args.fields}
        if member not in types or types[member].kind != "INT":
            raise TableError(f"{self.where}: condition on {member}")
        return f"{{VIR_NET_{kind.upper()}, offsetof({self.args.name}, {member}), {wanted}}}"

    def rights(self):
        """C initialisers of the access list."""
        rows = []
        for entry in self.row.get("acl", []):
            extra = entry[2] if len(entry) > 2 else True
            rows.append(f'{{"{entry[0]}", "{entry[1]}", {self.condition(extra)}}}')
        return rows

    def descriptors(self):
        """Whether descriptors may come with the call, go with the reply."""
        fds = self.row.get("fds") or {}
        only({"to_server", "to_client"}, fds, f"{self.where}: fds")
        return "to_server" in fds, "to_client" in fds


def layout(struct):
    """A struct as nested lists of plain values."""
    if struct is None:
        return None
    rows = [(field, 0) for field in struct.fields] + [(field, arm) for arm, field in struct.arms or []]
    return [struct.name,
            [[field.name, field.type.kind, field.shape(), field.limit, field.string_max, arm,
              layout(field.type.struct)] for field, arm in rows]]


# Procedures whose API function is not simply their name in capitals; found by comparing with the
# functions that the stock client library exports.
FUNCTIONS = {
    "connect_domain_event_callback_register_any": "virConnectDomainEventRegisterAny",
    "connect_domain_event_callback_deregister_any": "virConnectDomainEventDeregisterAny",
    "qemu.domain_monitor_command": "virDomainQemuMonitorCommand",
    "qemu.domain_monitor_command_with_files": "virDomainQemuMonitorCommandWithFiles",
    "qemu.domain_attach": "virDomainQemuAttach",
    "qemu.domain_agent_command": "virDomainQemuAgentCommand",
    "qemu.connect_domain_monitor_event_register": "virConnectDomainQemuMonitorEventRegister",
    "qemu.connect_domain_monitor_event_deregister": "virConnectDomainQemuMonitorEventDeregister",
}


def api_function(program, name):
    key = name if program == "remote" else f"{program}.{name}"
    if key in FUNCTIONS:
        return FUNCTIONS[key]
    if program == "admin":
        return "virAdm" + camel(name)
    return "vir" + camel(name)


def load(folder, overlay_path):
    """All programs by name, with the overlay laid on."""
    programs = {}
    for name in PROGRAMS:
        data = json.loads((pathlib.Path(folder) / f"{name}.json").read_text())
        programs[name] = Program(name, data, programs)
    apply_overlay(programs, json.loads(pathlib.Path(overlay_path).read_text()))
    return programs


def apply_overlay(programs, overlay):
    rows = {procedure.key: procedure
            for program in programs.values() for procedure in program.procedures}
    for key, row in overlay.items():
        if key not in rows:
            raise TableError(f"overlay: no procedure {key}")
        only(OVERLAY_KEYS, row, f"overlay: {key}")
        if row.get("run") not in RUNS:
            raise TableError(f"overlay: {key}: run {row.get('run')}")
        if rows[key].kind == "event" or rows[key].program.name not in ("remote", "qemu", "admin"):
            raise TableError(f"overlay: {key} cannot be called")
        rows[key].overlay = row


def head(source, purpose):
    return [f"/* Generated by src/rpc/generate.py from {source}: do not edit.",
            " * SPDX-License-Identifier: LGPL-2.1-or-later",
            " *",
            f" * {purpose} */"]


def write_types_h(programs):
    out = head("the tables in protocol", "Numbers and structs of every program on the wire.")
    out += ["#pragma once", "", '#include "rpc/virxdr.h"', ""]
    for program in programs.values():
        out += program_numbers(program)
        for struct in program.structs.values():
            out += struct.declaration()
            out += [f"extern const virXdrType {struct.xdr};", ""]
    out += ["/* Every struct, for tests that go over all of them. */",
            "extern const virXdrType *const virXdrTypes[];",
            "extern const size_t virXdrTypesCount;", "",
            "/* The hooks of the handler program, by rising number. */",
            "extern const virXdrHook virXdrHooks[];", "extern const size_t virXdrHooksCount;", ""]
    return out


def program_numbers(program):
    upper = program.name.upper()
    out = ["/* " + "-" * 20 + f" {program.name} " + "-" * 20 + " */", ""]
    if program.data["number"]:
        out += [f"#define {upper}_PROGRAM {program.data['number']:#x}u",
                f"#define {upper}_VERSION {program.data['version']}u", ""]
    for name, value in program.data["constants"].items():
        out.append(f"#define {upper}_{name} {value}")
    for name, values in program.data["enums"].items():
        out.append("enum {")
        out += [f"    {upper}_{name.upper()}_{key} = {value}," for key, value in values.items()]
        out += ["};", ""]
    if program.data.get("features"):
        out.append("enum {")
        out += [f"    {upper}_FEATURE_{key.upper()} = {value},"
                for key, value in program.data["features"].items()]
        out += ["};", ""]
    if program.procedures:
        out.append("enum {")
        out += [f"    {upper}_PROC_{procedure.name.upper()} = {procedure.num},"
                for procedure in program.procedures]
        out += [f"    {upper}_PROC_LAST = {max(p.num for p in program.procedures) + 1},", "};", ""]
    return out


def write_types_c(programs):
    out = head("the tables in protocol", "The codec's descriptors.")
    out += ['#include "rpc/types.gen.h"', "", "#include <stddef.h>", ""]
    names = []
    for program in programs.values():
        for struct in program.structs.values():
            out += struct.descriptor() + [""]
            names.append(struct.xdr)
    out += ["const virXdrType *const virXdrTypes[] = {"]
    out += [f"    &{name}," for name in names]
    out += ["};", f"const size_t virXdrTypesCount = {len(names)};", ""]
    return out + hook_table(programs["handler"])


def name_list(names):
    """A constant list of texts, ended by NULL."""
    return "(const char *const[]){" + "".join(f'"{name}", ' for name in names) + "NULL}"


def hook_table(program):
    """The hooks: procedures of the handler program that have an ABI of their own."""
    hooks = [procedure for procedure in program.procedures if "abi" in procedure.row]
    out = ["const virXdrHook virXdrHooks[] = {"]
    for hook in hooks:
        digest = ", ".join(f"{byte:#04x}" for byte in hook.digest())
        ret = f"&{hook.ret.xdr}" if hook.ret else "NULL"
        out.append(f'    {{{hook.num}, "{hook.name.replace("_", ".", 1)}", {hook.row["abi"]}, '
                   f'{hook.row["deadline"]}, &{hook.args.xdr}, {ret}, {{{digest}}}, '
                   f'{name_list(hook.row.get("takes", []))}, '
                   f'{name_list(hook.row.get("gives", []))}}},')
    return out + ["};", f"const size_t virXdrHooksCount = {len(hooks)};"]


def prototype(procedure):
    parts = ["virApiCall *call"]
    if procedure.args:
        parts.append(f"const {procedure.args.name} *args")
    if procedure.ret:
        parts.append(f"{procedure.ret.name} *ret")
    parts.append("GError **error")
    return f"bool {procedure.handler}({', '.join(parts)});"


def write_handlers_h(programs):
    out = head("src/rpc/overlay.json and the tables in protocol",
               "The handlers that the overlay names; each is one function in src/api.")
    out += ["#pragma once", "", '#include "api/api.h"', '#include "rpc/types.gen.h"', ""]
    for procedure in callable_procedures(programs):
        if procedure.answered:
            out.append(prototype(procedure))
    return out


def callable_procedures(programs):
    for name in ("remote", "qemu", "admin"):
        for procedure in programs[name].procedures:
            if procedure.kind != "event":
                yield procedure


def write_procedures_c(programs):
    out = head("src/rpc/overlay.json and the tables in protocol", "The procedure and event tables.")
    out += ['#include "rpc/procedures.h"', "", "#include <stddef.h>", "",
            '#include "api/handlers.gen.h"', ""]
    for procedure in callable_procedures(programs):
        out += call_through(procedure)
    for name in ("remote", "qemu", "admin"):
        out += procedure_table(programs[name])
    out += event_table(programs["remote"])
    return out


def call_through(procedure):
    """A function of the common type around the handler."""
    if not procedure.answered:
        return []
    args = "args, " if procedure.args else ""
    ret = "ret, " if procedure.ret else ""
    return ["static bool",
            f"call_{procedure.handler}(virNetCall *call, const void *args, void *ret, "
            "GError **error)",
            "{",
            f"    return {procedure.handler}(call, {args}{ret}error);",
            "}", ""]


def procedure_table(program):
    out = []
    for procedure in program.procedures:
        rights = procedure.rights()
        if rights:
            out.append(f"static const virNetRight {program.name}_rights_{procedure.num}[] = {{")
            out += [f"    {right}," for right in rights]
            out += ["    {NULL, NULL, {VIR_NET_IF_NEVER, 0, 0}},", "};"]
    out.append(f"static const virNetProcedure {program.name}_procedures[] = {{")
    for procedure in program.procedures:
        out += procedure_row(program, procedure)
    count = max(procedure.num for procedure in program.procedures) + 1
    name = program.name.capitalize()
    out += ["};", f"const virNetProgram vir{name}Program = {{",
            f'    "{program.name}", {program.data["number"]:#x}u, {program.data["version"]}u, '
            f"{count}, {program.name}_procedures,", "};", ""]
    return out


def procedure_row(program, procedure):
    row = procedure.row
    members = [f'.name = "{procedure.name}"', f".kind = VIR_NET_{procedure.kind.upper()}"]
    if procedure.args:
        members.append(f".args = &{procedure.args.xdr}")
    if procedure.ret:
        members.append(f".ret = &{procedure.ret.xdr}")
    if procedure.kind != "event":
        members += call_members(program, procedure, row)
    out = [f"    [{procedure.num}] = {{"]
    out += [f"        {member}," for member in members]
    out.append("    },")
    return out


def call_members(program, procedure, row):
    members = [f'.function = "{procedure.function}"']
    if row.get("rw"):
        members.append(f".refuse = {procedure.condition(row['rw'])}")
    if procedure.refusal:
        members.append(f'.refusal = "{procedure.refusal}"')
    if procedure.rights():
        members.append(f".rights = {program.name}_rights_{procedure.num}")
    for entry in row.get("filter") or []:
        members.append(f'.filter = {{"{entry[0]}", "{entry[1]}", {procedure.condition(True)}}}')
    if row.get("stream"):
        members.append(f".stream = VIR_NET_STREAM_{row['stream'].upper()}")
    if row.get("sparse_flag"):
        members.append(f".sparseFlag = {procedure.flags([row['sparse_flag']])}")
    fds_in, fds_out = procedure.descriptors()
    members += [".fdsIn = true"] * fds_in + [".fdsOut = true"] * fds_out
    members += [f".{key} = true" for key in ("unopened", "unauthenticated")
                if procedure.overlay.get(key)]
    if procedure.run:
        members.append(f".run = VIR_NET_RUN_{procedure.run.upper()}")
    if procedure.answered:
        members.append(f".handler = call_{procedure.handler}")
    return members


def event_table(program):
    keys = {"class", "id", "name", "proc", "legacy_proc", "guess"}
    out = ["const virNetEvent virNetEvents[] = {"]
    for event in program.data["events"]:
        only(keys, event, f"event {event.get('name')}")
        number = -1 if event["id"] is None else event["id"]
        out.append(f'    {{"{event["class"]}", {number}, "{event["name"]}", '
                   f"{event['proc']}, {event.get('legacy_proc') or 0}}},")
    return out + ["};", f"const size_t virNetEventsCount = {len(program.data['events'])};"]


def write_coverage_md(programs):
    callable_rows = list(callable_procedures(programs))
    answered = sum(procedure.answered for procedure in callable_rows)
    out = ["<!-- Generated by src/rpc/generate.py from src/rpc/overlay.json and the tables in protocol -->",
           "# Procedures answered", "",
           f"{answered} of {len(callable_rows)} procedures are answered. All others get "
           "`VIR_ERR_NO_SUPPORT`, naming the function; *forward* goes to another daemon.", ""]
    for name in ("remote", "qemu", "admin"):
        rows = [procedure for procedure in callable_rows if procedure.program.name == name]
        out += [f"## {name}: {sum(p.answered for p in rows)} of {len(rows)}", "",
                "| number | procedure | function | answered |", "| --- | --- | --- | --- |"]
        out += [f"| {p.num} | {p.name} | {p.function} | {p.run or 'no'} |" for p in rows]
        out.append("")
    return out


WRITERS = {
    "types.h": write_types_h,
    "types.c": write_types_c,
    "handlers.h": write_handlers_h,
    "procedures.c": write_procedures_c,
    "coverage.md": write_coverage_md,
}


def main(argv):
    if len(argv) != 4 or argv[3] not in WRITERS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        lines = WRITERS[argv[3]](load(argv[1], argv[2]))
    except TableError as error:
        print(f"generate.py: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
