import Type, { type Static } from 'typebox';

const Address = Type.String({
  minLength: 3,
  maxLength: 512,
  description: 'a@example.org or Name <a@example.org>',
});
const Addresses = Type.Union([Address, Type.Array(Address, { maxItems: 100 })]);

const Attachment = Type.Object(
  {
    filename: Type.String({ minLength: 1, maxLength: 255 }),
    content: Type.String({ description: 'base64' }),
    contentType: Type.Optional(
      Type.String({ maxLength: 127, pattern: '^[A-Za-z0-9!#$&^_.+-]{1,63}/[A-Za-z0-9!#$&^_.+-]{1,63}$' }),
    ),
    cid: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.@-]{1,128}$',
        description: 'name by which the html shows it: <img src="cid:…">',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The input of `email.send`. */
export const EmailInput = Type.Object(
  {
    transport: Type.Optional(Type.String({ description: 'one of smtp in jetbeat.yaml; else default' })),
    to: Addresses,
    cc: Type.Optional(Addresses),
    bcc: Type.Optional(Addresses),
    replyTo: Type.Optional(Address),
    subject: Type.String({ minLength: 1, maxLength: 998 }),
    text: Type.Optional(Type.String()),
    html: Type.Optional(Type.String()),
    data: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }),
        Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
        {
          additionalProperties: false,
          description:
            'what stands for {{name}} in subject, text and html; without it they are sent as they are',
        },
      ),
    ),
    attachments: Type.Optional(Type.Array(Attachment, { maxItems: 20 })),
  },
  { additionalProperties: false },
);
export type EmailInput = Static<typeof EmailInput>;
