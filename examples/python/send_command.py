"""Sends a command to a run and prints what became of it: send_command.py RUN_ID COMMAND [FIELDS]

FIELDS: more of the command as a JSON object, for example
    send_command.py $RUN answer '{"answers": ["A", "a week", null]}'
    send_command.py $RUN approve
    send_command.py $RUN reject '{"comment": "Leave the second story out"}'
"""

import json
import os
import sys
import uuid

import pika

PREFIX = os.environ.get("SPECKIT_AMQP_PREFIX", "speckit")
run_id, name, *more = sys.argv[1:]
# With an id of our own, sending it twice by accident is one command.
command_id = str(uuid.uuid4())
command = {"schemaVersion": 1, "commandId": command_id, "runId": run_id, "command": name}
for fields in more:
    command.update(json.loads(fields))

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.confirm_delivery()
replies = channel.queue_declare("", exclusive=True).method.queue
channel.basic_publish(
    exchange=f"{PREFIX}.requests",
    routing_key="run.command",
    body=json.dumps(command),
    mandatory=True,
    properties=pika.BasicProperties(
        content_type="application/json",
        delivery_mode=2,
        reply_to=replies,
        correlation_id=command_id,
    ),
)

for _method, properties, body in channel.consume(replies, auto_ack=True):
    if properties.correlation_id == command_id:
        print(body.decode())
        break
connection.close()
sys.exit(0 if json.loads(body)["status"] == "accepted" else 1)
