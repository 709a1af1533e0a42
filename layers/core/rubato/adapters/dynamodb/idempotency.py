"""Reservations and answers of idempotent requests in DynamoDB."""

from typing import Any

from pynamodb.exceptions import DeleteError, PutError

from rubato.adapters.dynamodb.tables import RequestItem
from rubato.domain.idempotency import Reservation, Standing

_LOST = "ConditionalCheckFailedException"


class DynamoIdempotency:
    """Implements ports.Idempotency. TTL removes what has expired, some time later; until then it counts for nothing."""

    def reserve(self, wanted: Reservation, now: int) -> Standing | None:
        """One conditional put; when it loses, one consistent read."""
        free = RequestItem.request_id.does_not_exist() | (RequestItem.expires_at <= now)
        try:
            _item(wanted, wanted.expires_at).save(condition=free)
        except PutError as error:
            if error.cause_response_code != _LOST:
                raise
            return _standing(wanted)
        return None

    def keep(self, mine: Reservation, answer: dict[str, Any], until: int) -> None:
        """One put by the holder."""
        try:
            _item(mine, until, answer).save(condition=RequestItem.holder == mine.holder)
        except PutError as error:
            if error.cause_response_code != _LOST:
                raise

    def release(self, mine: Reservation) -> None:
        """One delete by the holder."""
        try:
            RequestItem(mine.request_id).delete(condition=RequestItem.holder == mine.holder)
        except DeleteError as error:
            if error.cause_response_code != _LOST:
                raise


def _standing(wanted: Reservation) -> Standing | None:
    try:
        item = RequestItem.get(wanted.request_id, consistent_read=True)
    except RequestItem.DoesNotExist:
        # Released since the put: whoever asks again gets it.
        return Standing(fingerprint=wanted.fingerprint)
    # The client repeats a put whose answer was lost, and the repeat stumbles over the put itself.
    is_mine = item.holder == wanted.holder
    return None if is_mine else Standing(fingerprint=item.fingerprint, answer=item.answer)


def _item(reservation: Reservation, until: int, answer: dict[str, Any] | None = None) -> RequestItem:
    return RequestItem(
        request_id=reservation.request_id,
        fingerprint=reservation.fingerprint,
        holder=reservation.holder,
        answer=answer,
        expires_at=until,
        ttl=until // 1000 + 1,
    )
