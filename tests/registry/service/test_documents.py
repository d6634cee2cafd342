"""Publishing documents: the next number, the first open month, and what others hear."""

import asyncio
from datetime import date

import pytest

from kanava.common.errors import Forbidden
from kanava.registry import views
from kanava.registry.commands import CompensationModel
from kanava.registry.errors import DocumentUnknown, InputRefused
from kanava.registry.service.documents import publish_document
from tests.registry.world import (
    FOREIGN_ORGANISER,
    ORGANISER,
    Registry,
    compensation,
    compensation_model,
    count,
    rule_book,
    service_description,
)


async def test_versions_are_numbered_for_each_area_and_kind(registry: Registry) -> None:
    for command in (rule_book(), rule_book(), compensation_model(), service_description()):
        await registry.do(publish_document, command, by=ORGANISER)
    elsewhere = await registry.do(publish_document, rule_book(area="04"), by=FOREIGN_ORGANISER)
    assert elsewhere.document_id == "04:rule_book:1"
    page = await registry.read(views.documents, views.PageRequest(), area="03", kind=None)
    assert [one.document_id for one in page.items] == [
        "03:compensation_model:1",
        "03:rule_book:1",
        "03:rule_book:2",
        "03:service_description:1",
    ]


async def test_twenty_at_once_get_twenty_numbers(registry: Registry) -> None:
    published = await asyncio.gather(*(registry.do(publish_document, rule_book(), by=ORGANISER) for _ in range(20)))
    assert sorted(one.number for one in published) == list(range(1, 21))
    facts = await registry.facts("document")
    assert sorted(fact.number for fact in facts) == list(range(1, 21))


async def test_the_terms_are_said_as_published(registry: Registry) -> None:
    await registry.publish_documents()
    book, model, description = await registry.facts("document")
    assert (book.rule_book.months_between_choices, book.rule_book.days_to_effect) == (12, 21)
    assert (model.compensation.proration, model.compensation.incentive_percent) == ("calendar_days", 5)
    assert [(b.sex, b.age_from) for b in model.compensation.bands] == [
        *(("female", age) for age in (0, 5, 75)),
        *(("male", age) for age in (0, 5, 75)),
    ]
    assert (description.rule_book, description.compensation) == (None, None)
    assert all(one.recorded_at == registry.now and one.version == 1 for one in (book, model, description))


async def test_a_document_is_read_back_whole(registry: Registry) -> None:
    await registry.publish_documents()
    model = await registry.read(views.document, "03:compensation_model:1")
    assert model.compensation is not None
    assert model.compensation == CompensationModel.model_validate(compensation())
    description = await registry.read(views.document, "03:service_description:1")
    assert description.text == "Mitä sote-keskus tekee."
    with pytest.raises(DocumentUnknown):
        await registry.read(views.document, "03:rule_book:9")


async def test_a_version_for_a_closed_month_is_refused_and_stores_nothing(registry: Registry) -> None:
    with pytest.raises(InputRefused) as refused:
        await registry.do(publish_document, rule_book(valid_from="2026-09-30"), by=ORGANISER)
    assert (refused.value.pointer, refused.value.rule) == ("/valid_from", "not_before_open_month")
    async with registry.open() as tx:
        assert await count(tx, "document") == await count(tx, "outbox") == 0


async def test_the_month_is_the_one_in_helsinki(registry: Registry) -> None:
    registry.now = registry.now.replace(month=10, day=31, hour=22, minute=30)
    with pytest.raises(InputRefused):
        await registry.do(publish_document, rule_book(valid_from="2026-10-31"), by=ORGANISER)
    published = await registry.do(publish_document, rule_book(valid_from="2026-11-01"), by=ORGANISER)
    assert published.valid_from == date(2026, 11, 1)


async def test_every_broken_rule_of_a_rate_table_is_named(registry: Registry) -> None:
    bands = [
        {"sex": "male", "age_from": 1, "age_to": 4, "annual_cents": 1},
        {"sex": "male", "age_from": 6, "age_to": None, "annual_cents": 1},
    ]
    broken = compensation(bands=bands, coefficient_max_permille=900)
    with pytest.raises(InputRefused) as refused:
        await registry.do(publish_document, compensation_model(compensation=broken), by=ORGANISER)
    assert [(one["pointer"], one["rule"]) for one in refused.value.extra["errors"]] == [
        ("/compensation/bands", "sex_missing"),
        ("/compensation/bands/0/age_from", "starts_at_zero"),
        ("/compensation/bands/1/age_from", "ages_gap"),
        ("/compensation/coefficient_min_permille", "range_contains_1000"),
    ]


async def test_only_the_organiser_of_the_area_publishes(registry: Registry) -> None:
    with pytest.raises(Forbidden):
        await registry.do(publish_document, rule_book(), by=FOREIGN_ORGANISER)


EXTRAS = {
    "fixed_share_permille": 660,
    "coefficient_reasons": [{"code": "sairastavuus", "name_fi": "Sairastavuus"}],
    "incentives": [
        {
            "indicator": "esh_referrals_per_1000",
            "share_permille": 600,
            "direction": "lower_is_better",
            "floor": 6000,
            "target": 5000,
            "scale": 2,
        },
        {
            "indicator": "t3",
            "subject": "municipality",
            "share_permille": 400,
            "direction": "lower_is_better",
            "floor": 14,
            "target": 7,
        },
    ],
    "allowed_kinds": [{"contract_class": "basic", "kinds": ["capitation", "incentive"]}],
}


async def test_a_model_says_what_it_pays_by_and_warns_of_a_small_fixed_share(registry: Registry) -> None:
    bands = [{"sex": "any", "age_from": 0, "monthly_cents": 1_058}]
    published = await registry.do(
        publish_document, compensation_model(compensation=compensation(bands=bands, **EXTRAS)), by=ORGANISER
    )
    assert [(one.pointer, one.rule) for one in published.warnings] == [
        ("/compensation/fixed_share_permille", "fixed_share")
    ]
    (fact,) = await registry.facts("document")
    terms = fact.compensation
    assert (terms.rates_per, [band.annual_cents for band in terms.bands]) == ("month", [12 * 1_058])
    assert (terms.fixed_share_permille, terms.coefficient_reasons[0].code) == (660, "sairastavuus")
    assert [(one.indicator, one.subject, one.floor, one.target, one.scale) for one in terms.incentives] == [
        ("esh_referrals_per_1000", "producer", 6000, 5000, 2),
        ("t3", "municipality", 14, 7, 0),
    ]
    assert [one.kinds for one in terms.allowed_kinds] == [("capitation", "incentive")]
    fine = await registry.do(
        publish_document, compensation_model(compensation=compensation(fixed_share_permille=667)), by=ORGANISER
    )
    assert fine.warnings == ()
    silent = await registry.do(publish_document, compensation_model(compensation=compensation()), by=ORGANISER)
    assert [(one.pointer, one.rule) for one in silent.warnings] == [
        ("/compensation/fixed_share_permille", "fixed_share_declared")
    ]
    assert (await registry.do(publish_document, rule_book(), by=ORGANISER)).warnings == ()


async def test_terms_that_cannot_be_paid_by_are_refused(registry: Registry) -> None:
    odd = EXTRAS | {
        "bands": [{"sex": "any", "age_from": 0}],
        "coefficient_reasons": EXTRAS["coefficient_reasons"] * 2,  # type: ignore[operator]  # a list, twice
        "allowed_kinds": [{"contract_class": "basic", "kinds": ["base_payment"]}],
        "incentive_percent": 0,
    }
    with pytest.raises(InputRefused) as refused:
        await registry.do(publish_document, compensation_model(compensation=compensation(**odd)), by=ORGANISER)
    assert [one["pointer"] for one in refused.value.extra["errors"]] == [
        "/compensation/bands/0/annual_cents",
        "/compensation/incentives",
        "/compensation/coefficient_reasons/1/code",
        "/compensation/allowed_kinds/0/kinds/0",
    ]


async def test_only_the_correction_of_an_error_reaches_into_closed_months(registry: Registry) -> None:
    why = "Kaistan 75+ hinta oli kirjattu väärin."
    corrected = await registry.do(
        publish_document, compensation_model(valid_from="2026-08-01", correction_reason=why), by=ORGANISER
    )
    assert corrected.correction_reason == why
    (fact,) = await registry.facts("document")
    assert (fact.valid_from, fact.correction_reason) == (date(2026, 8, 1), why)
    with pytest.raises(InputRefused) as refused:
        await registry.do(
            publish_document, compensation_model(valid_from="2023-09-30", correction_reason=why), by=ORGANISER
        )
    assert refused.value.rule == "correction_in_range"
