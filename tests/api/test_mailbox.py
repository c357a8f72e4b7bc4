import asyncio
import threading
from concurrent.futures import Future

import pytest

from api.mailbox import Mailboxes
from ledger.aggregates import Refused
from ledger.store import Answer


def test_answers_of_another_thread_reach_those_who_wait() -> None:
    mail = Mailboxes()
    asked: list[Future[Answer]] = [Future() for _ in range(200)]

    def committer() -> None:
        for number, each in enumerate(asked):
            if number % 3:
                each.set_result(Answer({"number": number}))
            else:
                each.set_exception(Refused("no", "The rules say no."))

    async def wait() -> list[Answer | BaseException]:
        thread = threading.Thread(target=committer)
        waiting = [asyncio.ensure_future(mail.answer(each)) for each in asked]
        await asyncio.sleep(0)
        thread.start()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        thread.join()
        return found

    for number, answer in enumerate(asyncio.run(wait())):
        if number % 3:
            assert answer == Answer({"number": number})
        else:
            assert isinstance(answer, Refused)


def test_an_answer_that_is_there_already_is_not_waited_for() -> None:
    done: Future[Answer] = Future()
    done.set_result(Answer({}))
    assert asyncio.run(Mailboxes().answer(done)) == Answer({})


def test_who_went_away_is_passed_over() -> None:
    mail = Mailboxes()
    gone: Future[Answer] = Future()
    here: Future[Answer] = Future()

    async def wait() -> Answer:
        leaving = asyncio.ensure_future(mail.answer(gone))
        staying = asyncio.ensure_future(mail.answer(here))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        gone.set_result(Answer({"late": True}))
        here.set_result(Answer({"late": False}))
        return await staying

    assert asyncio.run(wait()) == Answer({"late": False})
