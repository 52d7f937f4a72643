"""The register of personal data is true: it names every table and every column there is (PRV-3…PRV-5)."""

import pytest
from peewee import ForeignKeyField

from models import MODELS, personal
from models.profile import Profile
from models.retention import RULES
from views import privacy_words

HOW = "models/personal.py says at its top how to declare it; docs/privacy.md what each answer means"


def columns_of(model) -> set[str]:
    """Without keys and foreign keys, which lead to what is declared itself."""
    fields = [field for field in model._meta.sorted_fields if not isinstance(field, ForeignKeyField)]
    return {field.name for field in fields if not (field.primary_key and field.name == "id")}


@pytest.mark.rule("PRV-1", "PRV-3")
def test_every_table_is_declared_or_said_to_be_nobodys():
    tables = {model._meta.table_name for model in MODELS}
    new = tables - set(personal.TABLES) - personal.NOBODYS
    assert not new, f"{sorted(new)}: what do they hold of a person? Put each into TABLES or NOBODYS: {HOW}"
    gone = (set(personal.TABLES) | personal.NOBODYS) - tables
    assert not gone, f"{sorted(gone)} are in models/personal.py, and no tables any more"


@pytest.mark.rule("PRV-1", "PRV-3")
def test_every_column_of_a_declared_table_is_declared():
    for model in MODELS:
        table = model._meta.table_name
        if table in personal.NOBODYS:
            continue
        there, declared = columns_of(model), personal.TABLES[table].columns
        assert there <= declared, (
            f"{table}.{sorted(there - declared)}: personal (a kind with what it holds), plain, hidden or staff? {HOW}"
        )
        assert declared <= there, f"{table} has no {sorted(declared - there)}: take it out of models/personal.py"


def test_what_is_declared_has_words_a_kind_and_a_way_to_be_erased():
    kinds = {kind.name for kind in personal.kinds()}
    assert kinds == set(privacy_words.KINDS)
    assert set(privacy_words.DATA) == personal.DATA
    for table, declared in personal.TABLES.items():
        assert declared.erased in {"delete", "cut", "keep", "blank"}, table
        assert declared.kinds, f"{table} is of no kind: the privacy page would not tell of it"
        assert set(declared.kinds) <= kinds, table
        assert {held for kind in declared.kinds.values() for held in kind.values()} <= personal.DATA, table
        assert declared.internal | declared.loose <= declared.columns, table
    assert {rule.kind for rule in RULES} <= kinds | {""}
    for kept in (kept for kind in personal.kinds() for kept in kind.periods):
        assert kept.since in privacy_words.SINCE or kept.unit in privacy_words.WORDS
    assert set(personal.COOKIES) == set(privacy_words.COOKIES)


@pytest.mark.rule("PRV-4")
def test_each_table_that_names_a_profile_says_what_erasing_it_does():
    """Deleted or cut; only what proves an erasure or a consent keeps the empty number of its profile."""
    kept = {
        model._meta.table_name
        for model in MODELS
        for field in model._meta.sorted_fields
        if isinstance(field, ForeignKeyField)
        and field.rel_model is Profile
        and (model._meta.table_name, field.name) not in personal.WORKERS
        and personal.TABLES[model._meta.table_name].erased == "keep"
    }
    assert kept == {"consent", "erasure", "staff"}, f"does a profile's row stay there, and why? {HOW}"
    for model in MODELS:
        declared = personal.TABLES.get(model._meta.table_name)
        for field in model._meta.sorted_fields:
            if declared and declared.erased == "cut" and getattr(field, "rel_model", None) is Profile:
                assert field.null, f"{model.__name__}.{field.name} cannot be cut"
