-- SPDX-License-Identifier: Apache-2.0
PRAGMA journal_mode = wal;
PRAGMA user_version = 0;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE bookings (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	provider_id INTEGER NOT NULL, 
	reservation_id BIGINT NOT NULL, 
	host_id BIGINT NOT NULL, 
	bundle_id BIGINT, 
	units BIGINT NOT NULL, 
	start BIGINT NOT NULL, 
	"end" BIGINT NOT NULL, 
	released BOOLEAN NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	generation BIGINT NOT NULL, 
	FOREIGN KEY(provider_id) REFERENCES providers (id)
);
INSERT INTO "bookings" VALUES(1,1,1,1,NULL,1,1893456060000000,1893492000000000,0,0,45);
INSERT INTO "bookings" VALUES(10,1,9,19,1,1,1893456120000000,1893468000000000,0,1,94);
INSERT INTO "bookings" VALUES(11,1,10,19,1,2,1893456120000000,1893468000000000,0,1,87);
INSERT INTO "bookings" VALUES(12,1,11,19,1,2,1893459900000000,1893468000000000,0,1,88);
INSERT INTO "bookings" VALUES(13,1,12,18,NULL,1,1893459540000000,1893468000000000,0,0,55);
INSERT INTO "bookings" VALUES(14,1,13,19,1,2,1893459540000000,1893468000000000,0,0,55);
INSERT INTO "bookings" VALUES(15,1,14,8,NULL,1,1893459060000000,1893468000000000,0,0,56);
INSERT INTO "bookings" VALUES(16,1,15,19,1,2,1893459120000000,1893468000000000,0,0,57);
INSERT INTO "bookings" VALUES(17,1,16,9,NULL,1,1893456120000000,1893459600000000,0,0,58);
INSERT INTO "bookings" VALUES(18,1,17,19,1,2,1893456120000000,1893459600000000,0,0,58);
INSERT INTO "bookings" VALUES(19,1,18,10,NULL,1,1893456120000000,1893459180000000,0,0,59);
INSERT INTO "bookings" VALUES(2,1,2,2,1,2,1893456060000000,1893456066000000,1,0,47);
INSERT INTO "bookings" VALUES(20,1,19,19,1,2,1893456120000000,1893459240000000,0,0,60);
INSERT INTO "bookings" VALUES(21,1,20,9,NULL,1,1893459600000000,1893468000000000,0,0,61);
INSERT INTO "bookings" VALUES(22,1,21,19,1,2,1893459600000000,1893468000000000,0,0,61);
INSERT INTO "bookings" VALUES(23,1,22,8,NULL,1,1893456120000000,1893457800000000,1,0,72);
INSERT INTO "bookings" VALUES(24,1,23,19,1,2,1893456120000000,1893457800000000,1,0,73);
INSERT INTO "bookings" VALUES(25,1,24,2,1,1,1893456120000000,1893457800000000,1,0,74);
INSERT INTO "bookings" VALUES(26,1,24,19,1,1,1893456120000000,1893457800000000,1,0,74);
INSERT INTO "bookings" VALUES(27,1,25,11,NULL,1,1893456120000000,1893459600000000,0,0,95);
INSERT INTO "bookings" VALUES(28,1,26,19,1,2,1893456120000000,1893459600000000,0,0,95);
INSERT INTO "bookings" VALUES(29,1,27,12,NULL,1,1893456120000000,1893459300000000,0,0,86);
INSERT INTO "bookings" VALUES(3,1,3,4,NULL,1,1893456120000000,1893461400000000,0,0,48);
INSERT INTO "bookings" VALUES(30,1,28,19,1,2,1893456120000000,1893459600000000,0,0,96);
INSERT INTO "bookings" VALUES(31,1,29,2,NULL,1,1893480000000000,1893486000000000,0,0,67);
INSERT INTO "bookings" VALUES(32,1,30,3,1,2,1893480000000000,1893486000000000,0,0,67);
INSERT INTO "bookings" VALUES(33,1,31,19,1,1,1893480000000000,1893486000000000,0,0,68);
INSERT INTO "bookings" VALUES(34,1,32,4,NULL,1,1893480000000000,1893486000000000,0,1,75);
INSERT INTO "bookings" VALUES(35,1,33,3,1,2,1893480000000000,1893486000000000,0,1,75);
INSERT INTO "bookings" VALUES(36,1,34,19,1,2,1893456120000000,1893458400000000,1,1,81);
INSERT INTO "bookings" VALUES(37,1,10,19,1,3,1893456120000000,1893468000000000,0,0,87);
INSERT INTO "bookings" VALUES(38,1,11,2,2,1,1893459900000000,1893468000000000,0,0,88);
INSERT INTO "bookings" VALUES(39,1,11,19,2,1,1893459900000000,1893468000000000,0,0,88);
INSERT INTO "bookings" VALUES(4,1,4,2,1,1,1893456120000000,1893461400000000,0,0,48);
INSERT INTO "bookings" VALUES(40,1,35,10,NULL,1,1893459900000000,1893468000000000,0,0,89);
INSERT INTO "bookings" VALUES(41,1,36,19,1,2,1893459900000000,1893468000000000,0,0,90);
INSERT INTO "bookings" VALUES(42,1,37,12,NULL,1,1893459900000000,1893459366000000,1,0,93);
INSERT INTO "bookings" VALUES(43,1,8,7,NULL,1,1893456120000000,1893468000000000,0,0,94);
INSERT INTO "bookings" VALUES(44,1,8,13,NULL,1,1893459540000000,1893468000000000,0,0,94);
INSERT INTO "bookings" VALUES(45,1,9,19,1,2,1893456120000000,1893468000000000,0,0,94);
INSERT INTO "bookings" VALUES(46,1,38,19,1,2,1893459900000000,1893468000000000,0,0,97);
INSERT INTO "bookings" VALUES(5,1,4,3,1,1,1893456120000000,1893461400000000,0,0,48);
INSERT INTO "bookings" VALUES(6,1,5,5,NULL,1,1893456120000000,1893474000000000,0,0,49);
INSERT INTO "bookings" VALUES(7,1,6,19,1,1,1893456120000000,1893474000000000,0,0,50);
INSERT INTO "bookings" VALUES(8,1,7,6,NULL,1,1893456120000000,1893463200000000,0,0,51);
INSERT INTO "bookings" VALUES(9,1,8,7,NULL,1,1893456120000000,1893468000000000,0,1,94);
CREATE TABLE bundles (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	text VARCHAR(700) NOT NULL, 
	UNIQUE (text)
);
INSERT INTO "bundles" VALUES(1,'DISK_GB=10,MEMORY_MB=2048,VCPU=1');
INSERT INTO "bundles" VALUES(2,'DISK_GB=10,MEMORY_MB=2048,VCPU=2');
CREATE TABLE departed_reservations (
	uuid VARCHAR(36) NOT NULL, 
	resource_type VARCHAR(66) NOT NULL, 
	removed_at BIGINT NOT NULL, 
	PRIMARY KEY (uuid)
);
INSERT INTO "departed_reservations" VALUES('07e30f11-0562-4748-943e-c25a70536e9b','physical:host',1893458402000000);
INSERT INTO "departed_reservations" VALUES('2c400b95-34e4-4e75-82a9-5d35d5d8575d','virtual:instance',1893458402000000);
INSERT INTO "departed_reservations" VALUES('e1018cc5-920f-4663-b57d-6f2ec4e199a1','virtual:instance',1893458402000000);
CREATE TABLE events (
	id VARCHAR(36) NOT NULL, 
	lease_id VARCHAR(36) NOT NULL, 
	event_type VARCHAR(66) NOT NULL, 
	time BIGINT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(lease_id) REFERENCES leases (id) ON DELETE CASCADE, 
	UNIQUE (lease_id, event_type)
);
INSERT INTO "events" VALUES('02c8261b-740c-4a65-89be-4b4bd9ee50e2','ae9c8563-107d-42d5-871c-5cf140a980bd','before_end_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('07dbf924-a604-4457-861e-02ec39235bc0','d50e0097-8b71-49cd-ad39-eb43ad9cedde','before_end_lease',1893470400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('0a57af35-b9b8-4635-90b8-fe223c116549','88534206-fc4a-447e-8498-72c67c081bb7','start_lease',1893459900000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('0bb662a8-c979-4b06-9b94-3cfc46f57327','88c780f6-907f-4669-8ba9-55f3e4096150','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('0cbbeab0-bc9a-4e0c-8ec2-361582f2e770','77cab1f9-5e42-43e0-a8a6-217585f049fe','start_lease',1893459900000000,'ERROR',1893459360000000,1893459366000000);
INSERT INTO "events" VALUES('106ee2ab-101e-45eb-a607-b61550332cb8','b9fad67e-4ba9-47c3-acf4-5ccbfb8a99a2','end_lease',1893459600000000,'IN_PROGRESS',1893456120000000,1893459600000000);
INSERT INTO "events" VALUES('1291f006-309d-47ed-84e3-2dbdc910c201','ed9140c0-5108-4deb-a710-b0e79f5904a6','end_lease',1893468000000000,'UNDONE',1893459600000000,NULL);
INSERT INTO "events" VALUES('1391f9b9-dbc7-49b0-921b-28004e6f5a94','0c250a03-e023-433d-b64e-433ff7c882f4','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('15c0cdd5-9836-404c-b6fb-b6edbc85e5de','8d64b3ad-d957-4b6b-8cb0-5ec1b14b69dc','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('16d8e80e-9cc9-40d3-ac13-9c1966ad51fd','906704c3-65d6-4b6e-86e3-db95d4350b28','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('16e3e380-47e1-438b-91ea-041814d4954e','3534ccae-8aa6-4235-aee7-af97425375be','end_lease',1893459180000000,'IN_PROGRESS',1893456120000000,1893459180000000);
INSERT INTO "events" VALUES('1724925f-fb31-4da0-8630-43d70a6be26c','d87064fc-83da-4265-a24c-4b62591550ff','end_lease',1893486000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('172a4012-72a9-48a4-80d7-6560fbbe9381','3534ccae-8aa6-4235-aee7-af97425375be','before_end_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('179030da-9891-4052-8ebc-c1ba943863a5','9439c746-d8dd-42ef-8af0-78b051158de5','before_end_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('1959b9ef-58d0-4674-b34d-e73d60c290d0','0994940e-8245-4cc8-9f7a-7dafb43adc4f','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('19de2ded-a0e2-4045-8153-bbc7ced5669f','d87064fc-83da-4265-a24c-4b62591550ff','before_end_lease',1893482400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('20012170-d418-47af-a5b7-501ac9c1ffef','6816de06-0a04-4f48-921b-18a91ab1c42f','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('2298bdb1-c85f-4d46-9037-15c8fcaf4a5a','282ee0bc-04a1-4de4-8806-aa81e65150b5','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('29606598-f235-42b7-b5d2-8dee81d57930','1126d71a-5aec-468f-91db-6acf6c2f5ecc','end_lease',1893468000000000,'UNDONE',1893459360000000,NULL);
INSERT INTO "events" VALUES('2a04ff67-050d-458c-b146-99bda826e5f1','1126d71a-5aec-468f-91db-6acf6c2f5ecc','start_lease',1893459900000000,'UNDONE',1893459360000000,NULL);
INSERT INTO "events" VALUES('2aa3300b-2b71-4343-a20d-672b15ad9a9d','88534206-fc4a-447e-8498-72c67c081bb7','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('2adf559a-11cb-4288-8a50-12dc582c18c9','44c5b476-3fe3-4d03-87fc-816ac16e2284','end_lease',1893461400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('2d75c25d-01ea-4639-bc6a-47a73bc8996b','906704c3-65d6-4b6e-86e3-db95d4350b28','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('2df810b9-2c59-4859-aa4d-a822f3009a5c','dbeef77a-dcd6-4029-b805-87f07e465b19','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('2e47dc0e-959f-4a51-8cfe-5cd12d5db79b','c9546b43-9f9d-4129-8a44-9ebe89d9bf02','before_end_lease',1893488400000000,'UNDONE',1893456000000000,NULL);
INSERT INTO "events" VALUES('2f429ce5-9ff3-478f-8c1b-0c3e1c07724e','44c5b476-3fe3-4d03-87fc-816ac16e2284','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('382f21e4-a57b-4700-b8ec-2d3446752b5c','9c7d498a-8f76-4c87-9642-74036988f668','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('3eefe734-4d84-4990-abdd-b098e4bc6e82','9439c746-d8dd-42ef-8af0-78b051158de5','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('3f98e0ee-c2f7-423f-aee1-33ea6e883110','ed9140c0-5108-4deb-a710-b0e79f5904a6','start_lease',1893459900000000,'UNDONE',1893459600000000,NULL);
INSERT INTO "events" VALUES('443baac5-3689-4eeb-ade2-b33b56cef8ec','282ee0bc-04a1-4de4-8806-aa81e65150b5','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('449c4ca2-3685-456b-89c8-0c4de9367ed9','88534206-fc4a-447e-8498-72c67c081bb7','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('47158a7e-4ba4-4898-a917-2a051e3b25e5','6e671698-1e83-4596-b646-9fabf59cd100','end_lease',1893486000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('4c41d9c0-f075-44fe-aacc-110e4f73fd94','0c250a03-e023-433d-b64e-433ff7c882f4','end_lease',1893463200000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('5c47577b-3f12-468e-b2ff-d03d4eac98d6','3534ccae-8aa6-4235-aee7-af97425375be','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('642a357c-7329-42f4-91fb-fcc798b8da9f','b9fad67e-4ba9-47c3-acf4-5ccbfb8a99a2','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('65b184f7-6ed3-430b-a746-ebebcd7e80a2','3db18a28-ec9f-4fbf-99d9-320e71ef5e7a','end_lease',1893486000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('6e1fb6ad-cee9-44fd-b25a-9a5bf6a07500','ae9c8563-107d-42d5-871c-5cf140a980bd','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('70293815-5351-42c1-a8fb-46b52a2d551f','3db18a28-ec9f-4fbf-99d9-320e71ef5e7a','before_end_lease',1893482400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('707c70b4-8a97-49d8-800e-67ed8c9cf440','ae9c8563-107d-42d5-871c-5cf140a980bd','end_lease',1893457800000000,'DONE',1893456120000000,1893457802000000);
INSERT INTO "events" VALUES('736a947a-843f-4da7-b1ee-daffcc3d5506','d50e0097-8b71-49cd-ad39-eb43ad9cedde','end_lease',1893474000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('764a44e3-26ee-4eac-8dbd-3dc98b53c16b','0297c0d6-9aff-456c-86ad-0327d0b93207','before_end_lease',1893464400000000,'UNDONE',1893459360000000,NULL);
INSERT INTO "events" VALUES('7e0ab2ed-31b1-427e-9766-99cc6ed5d1bf','0994940e-8245-4cc8-9f7a-7dafb43adc4f','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('825f8542-13bd-488e-93fd-f07ccb8409d6','dbeef77a-dcd6-4029-b805-87f07e465b19','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('8d8e3b13-e83b-4ab1-ac15-3076cdc98666','c79d4440-0821-4b65-b8fe-2f4be91553a9','end_lease',1893457800000000,'DONE',1893456120000000,1893457802000000);
INSERT INTO "events" VALUES('8e65e4cf-d0a4-40da-bf11-dc91b6a3ce92','77cab1f9-5e42-43e0-a8a6-217585f049fe','before_end_lease',1893464400000000,'UNDONE',1893459360000000,NULL);
INSERT INTO "events" VALUES('8f332483-bfe4-440e-a0fc-47fa3f8b1baa','6e671698-1e83-4596-b646-9fabf59cd100','before_end_lease',1893482400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('909ff497-6a8a-43ef-a880-4790be6c6fe9','0c250a03-e023-433d-b64e-433ff7c882f4','before_end_lease',1893459600000000,'IN_PROGRESS',1893456120000000,1893459600000000);
INSERT INTO "events" VALUES('96605d95-9d7c-44f6-9d5c-482557450e65','6816de06-0a04-4f48-921b-18a91ab1c42f','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('99901c04-7549-4bc3-94c5-6c9a9cc9af4e','c9546b43-9f9d-4129-8a44-9ebe89d9bf02','start_lease',1893456060000000,'ERROR',1893456000000000,1893456066000000);
INSERT INTO "events" VALUES('99f86c8d-f845-4ed9-913d-d1a6e9d40f2b','b9fad67e-4ba9-47c3-acf4-5ccbfb8a99a2','before_end_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('9b29b54b-e587-4d21-9f8c-e97adb34fa8d','8d64b3ad-d957-4b6b-8cb0-5ec1b14b69dc','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('9c842b6a-8b52-4b4f-99d7-b4035596dfde','9439c746-d8dd-42ef-8af0-78b051158de5','end_lease',1893459240000000,'IN_PROGRESS',1893456120000000,1893459240000000);
INSERT INTO "events" VALUES('9d19ee45-032b-4328-8bb5-7b5cd3e89d32','88c780f6-907f-4669-8ba9-55f3e4096150','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('9f9f80d0-e730-4b28-922f-02f350e9e079','c79d4440-0821-4b65-b8fe-2f4be91553a9','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('a17a4340-f9c0-4fef-ba1b-1bf13879399b','d50e0097-8b71-49cd-ad39-eb43ad9cedde','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('a2a7ae1f-3ac7-452c-8df8-440407295e42','c9546b43-9f9d-4129-8a44-9ebe89d9bf02','end_lease',1893492000000000,'UNDONE',1893456000000000,NULL);
INSERT INTO "events" VALUES('a2cf179f-66e4-4927-97d2-59adb0c12c60','1126d71a-5aec-468f-91db-6acf6c2f5ecc','before_end_lease',1893464400000000,'UNDONE',1893459360000000,NULL);
INSERT INTO "events" VALUES('a745ba6d-eaee-419b-ba6c-ac4ae82d2fef','9c7d498a-8f76-4c87-9642-74036988f668','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('ae4ecf4b-2ad9-440a-b36e-bf511d95389b','297a21d7-6bc7-4bf5-9638-0ed6fcf7f49d','start_lease',1893459120000000,'IN_PROGRESS',1893456120000000,1893459120000000);
INSERT INTO "events" VALUES('af5e490b-dfba-4afa-a940-776cb540cce4','0297c0d6-9aff-456c-86ad-0327d0b93207','end_lease',1893468000000000,'UNDONE',1893459360000000,NULL);
INSERT INTO "events" VALUES('b386d25c-b387-42ad-aa49-26f05f221dfc','8d64b3ad-d957-4b6b-8cb0-5ec1b14b69dc','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('baeb41a5-e65a-4149-80e2-a20a1bd7ce73','4227de21-3023-480c-8bd3-f5e06bc15385','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('bc2e9ff5-a72f-4600-8c00-15082b265442','77cab1f9-5e42-43e0-a8a6-217585f049fe','end_lease',1893468000000000,'UNDONE',1893459360000000,NULL);
INSERT INTO "events" VALUES('c360b3b7-1251-410b-abee-35210c56a92d','9c7d498a-8f76-4c87-9642-74036988f668','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('c71a5b11-805d-406a-99d6-d73b2778507c','dbeef77a-dcd6-4029-b805-87f07e465b19','start_lease',1893459600000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('cc5d375a-43bb-4a66-a9a4-13ca59758f83','0297c0d6-9aff-456c-86ad-0327d0b93207','start_lease',1893459900000000,'UNDONE',1893459360000000,NULL);
INSERT INTO "events" VALUES('cfa6cf3e-53e6-4093-9b87-872d336b1a45','282ee0bc-04a1-4de4-8806-aa81e65150b5','start_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('d85328b6-be77-4448-a8b0-9a933dcdb856','297a21d7-6bc7-4bf5-9638-0ed6fcf7f49d','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('defd5670-2a66-4259-bb79-8e9ba03a1915','ed9140c0-5108-4deb-a710-b0e79f5904a6','before_end_lease',1893464400000000,'UNDONE',1893459600000000,NULL);
INSERT INTO "events" VALUES('e49df6bb-803a-4506-9136-bf628758ff4d','906704c3-65d6-4b6e-86e3-db95d4350b28','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('e585552f-ac95-4ab5-92c9-357d34accd78','0994940e-8245-4cc8-9f7a-7dafb43adc4f','end_lease',1893468000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('e5920673-7530-4db7-9d43-d1ffecd1345e','88c780f6-907f-4669-8ba9-55f3e4096150','start_lease',1893459060000000,'IN_PROGRESS',1893456120000000,1893459060000000);
INSERT INTO "events" VALUES('e8c7a01d-6881-4fda-88b7-cc6b99c61aa8','6e671698-1e83-4596-b646-9fabf59cd100','start_lease',1893480000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('f0a3a668-61e1-480d-99db-30aff8a10e70','3db18a28-ec9f-4fbf-99d9-320e71ef5e7a','start_lease',1893480000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('f3b37f32-8702-46c4-8155-d7ef28dd37eb','44c5b476-3fe3-4d03-87fc-816ac16e2284','before_end_lease',1893458400000000,'DONE',1893456120000000,1893458400000000);
INSERT INTO "events" VALUES('f6f62c28-e927-4b48-af62-e63a1a5356b5','297a21d7-6bc7-4bf5-9638-0ed6fcf7f49d','before_end_lease',1893464400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('f72f2bb8-3586-4ca7-ba0b-85188296f5ea','4227de21-3023-480c-8bd3-f5e06bc15385','end_lease',1893474000000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('f9bddea5-d129-42e4-ae80-fa489b0bca16','4227de21-3023-480c-8bd3-f5e06bc15385','before_end_lease',1893470400000000,'UNDONE',1893456120000000,NULL);
INSERT INTO "events" VALUES('fca7cb5f-bf05-48fa-b187-8d5fd739543b','c79d4440-0821-4b65-b8fe-2f4be91553a9','before_end_lease',1893456120000000,'DONE',1893456120000000,1893456120000000);
INSERT INTO "events" VALUES('fdc1786b-ddbd-458f-a156-c4df12bccdcb','6816de06-0a04-4f48-921b-18a91ab1c42f','start_lease',1893459540000000,'IN_PROGRESS',1893456120000000,1893459540000000);
INSERT INTO "events" VALUES('fe8b2b79-bada-4947-8b52-30ed2a30363b','d87064fc-83da-4265-a24c-4b62591550ff','start_lease',1893480000000000,'UNDONE',1893456120000000,NULL);
CREATE TABLE host_capabilities (
	host_id INTEGER NOT NULL, 
	property_id VARCHAR(36) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (host_id, property_id), 
	FOREIGN KEY(host_id) REFERENCES hosts (id) ON DELETE CASCADE, 
	FOREIGN KEY(property_id) REFERENCES resource_properties (id)
);
INSERT INTO "host_capabilities" VALUES(1,'35bf992d-c9e9-4616-a12e-7696a6cecc1b','False');
INSERT INTO "host_capabilities" VALUES(1,'e4b06ce6-0741-47a8-bce4-2c8218072e8c','2029');
INSERT INTO "host_capabilities" VALUES(18,'0326324d-fb69-4ffb-ba18-90c78092b4d4','8');
INSERT INTO "host_capabilities" VALUES(19,'0326324d-fb69-4ffb-ba18-90c78092b4d4','7');
INSERT INTO "host_capabilities" VALUES(19,'35bf992d-c9e9-4616-a12e-7696a6cecc1b','True');
INSERT INTO "host_capabilities" VALUES(23,'35bf992d-c9e9-4616-a12e-7696a6cecc1b','True');
CREATE TABLE host_inventories (
	host_id INTEGER NOT NULL, 
	resource_class VARCHAR(255) NOT NULL, 
	total BIGINT NOT NULL, 
	reserved BIGINT NOT NULL, 
	allocation_ratio DOUBLE NOT NULL, 
	PRIMARY KEY (host_id, resource_class), 
	FOREIGN KEY(host_id) REFERENCES hosts (id) ON DELETE CASCADE
);
INSERT INTO "host_inventories" VALUES(1,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(1,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(1,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(10,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(10,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(10,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(11,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(11,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(11,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(12,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(12,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(12,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(13,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(13,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(13,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(14,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(14,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(14,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(15,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(15,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(15,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(16,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(16,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(16,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(17,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(17,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(17,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(18,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(18,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(18,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(19,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(19,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(19,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(2,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(2,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(2,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(20,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(20,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(20,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(21,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(21,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(21,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(22,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(22,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(22,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(23,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(23,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(23,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(3,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(3,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(3,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(4,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(4,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(4,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(5,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(5,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(5,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(6,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(6,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(6,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(7,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(7,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(7,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(8,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(8,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(8,'VCPU',32,0,4.0);
INSERT INTO "host_inventories" VALUES(9,'DISK_GB',2000,0,1.0);
INSERT INTO "host_inventories" VALUES(9,'MEMORY_MB',131072,0,1.0);
INSERT INTO "host_inventories" VALUES(9,'VCPU',32,0,4.0);
CREATE TABLE host_reservations (
	reservation_id INTEGER NOT NULL, 
	count_min INTEGER NOT NULL, 
	count_max INTEGER NOT NULL, 
	hypervisor_properties TEXT NOT NULL, 
	resource_properties TEXT NOT NULL, 
	before_end VARCHAR(36) NOT NULL, 
	aggregate_id INTEGER, 
	PRIMARY KEY (reservation_id), 
	FOREIGN KEY(reservation_id) REFERENCES reservations (id) ON DELETE CASCADE
);
INSERT INTO "host_reservations" VALUES(1,1,1,'','','default',2);
INSERT INTO "host_reservations" VALUES(12,1,1,'','["==", "$rack", "8"]','default',13);
INSERT INTO "host_reservations" VALUES(14,1,1,'','','default',15);
INSERT INTO "host_reservations" VALUES(16,1,1,'','','default',17);
INSERT INTO "host_reservations" VALUES(18,1,1,'','','default',19);
INSERT INTO "host_reservations" VALUES(20,1,1,'','','default',21);
INSERT INTO "host_reservations" VALUES(22,1,1,'','','default',23);
INSERT INTO "host_reservations" VALUES(25,1,1,'','','default',26);
INSERT INTO "host_reservations" VALUES(27,1,1,'','','default',28);
INSERT INTO "host_reservations" VALUES(29,1,1,'','','default',30);
INSERT INTO "host_reservations" VALUES(3,1,1,'','','snapshot',4);
INSERT INTO "host_reservations" VALUES(35,1,1,'','','default',NULL);
INSERT INTO "host_reservations" VALUES(37,1,1,'','','default',NULL);
INSERT INTO "host_reservations" VALUES(5,1,1,'','','default',6);
INSERT INTO "host_reservations" VALUES(7,1,1,'','','snapshot',8);
INSERT INTO "host_reservations" VALUES(8,2,2,'','','default',9);
CREATE TABLE hosts (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	provider_id INTEGER NOT NULL, 
	hypervisor_uuid VARCHAR(36) NOT NULL, 
	hypervisor_hostname VARCHAR(255) NOT NULL, 
	service_host VARCHAR(255) NOT NULL, 
	hypervisor_type VARCHAR(255) NOT NULL, 
	hypervisor_version BIGINT NOT NULL, 
	cpu_info TEXT NOT NULL, 
	zone VARCHAR(255) NOT NULL, 
	vcpus BIGINT NOT NULL, 
	memory_mb BIGINT NOT NULL, 
	local_gb BIGINT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reservable BOOLEAN NOT NULL, 
	tombstone BIGINT NOT NULL, 
	generation BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	FOREIGN KEY(provider_id) REFERENCES providers (id), 
	UNIQUE (provider_id, hypervisor_hostname, tombstone)
);
INSERT INTO "hosts" VALUES(1,1,'a4759065-eb4f-5a46-96b0-019ee60cabef','compute-1','compute-1','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,2,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(10,1,'0b87880a-74e8-55a0-89bd-f7de39e8b8bf','compute-10','compute-10','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,20,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(11,1,'25cf3aaa-3c51-5593-bf28-592b5d35c06f','compute-11','compute-11','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,22,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(12,1,'654d15d3-1fae-5e49-9ba9-f7a89eafd589','compute-12','compute-12','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,24,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(13,1,'8aea7d95-bf89-50a6-96ff-9bc914ec5a16','compute-13','compute-13','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,26,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(14,1,'58279dac-d448-59ff-a4b3-c100ef8bde84','compute-14','compute-14','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,28,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(15,1,'e70c11bb-d180-5c92-8bf4-7b7b02bf891b','compute-15','compute-15','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,30,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(16,1,'82f0ac51-0972-5ca2-87aa-a03233c7021f','compute-16','compute-16','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,32,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(17,1,'1ffd0557-2a8e-5e8e-b2e0-e43b93e1c37e','compute-17','compute-17','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,34,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(18,1,'7f2e4654-dec9-5b40-a955-9e93f4089b2f','compute-18','compute-18','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,36,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(19,1,'238f10e9-5752-591d-be37-8d8f74e8f562','compute-19','compute-19','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,38,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(2,1,'9811decb-80f0-5552-99d1-1d2f6f5bea9a','compute-2','compute-2','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,4,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(20,1,'a4c30eb4-9d53-5b62-b7d4-3ae46dd7fe66','compute-20','compute-20','simulated',1,'{}','nova',32,131072,2000,'ready',0,0,40,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(21,1,'2dd0fb75-aceb-591d-8730-ab2ba4d05838','compute-23','compute-23','simulated',1,'{}','nova',32,131072,2000,'removing',0,21,44,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(22,1,'585cda7a-0b39-5781-8dbe-73708c84c4a8','compute-22','compute-22','simulated',1,'{}','nova',32,131072,2000,'removing',0,0,85,1893459000000000,NULL);
INSERT INTO "hosts" VALUES(23,1,'f229cdd1-1f5e-52f1-93fb-eeee7db98d21','compute-21','compute-21','simulated',1,'{}','nova',32,131072,2000,'adding',0,0,84,1893459000000000,NULL);
INSERT INTO "hosts" VALUES(3,1,'3732fedc-b55f-54e3-ae29-fb00fc002df4','compute-3','compute-3','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,6,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(4,1,'c3b2000f-c60b-5d24-b866-4c83ed1fc3ec','compute-4','compute-4','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,8,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(5,1,'0373953d-f349-5b02-bc2b-ff0ebb49cebd','compute-5','compute-5','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,10,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(6,1,'c8d02e31-47d2-5fc3-ba35-8e6b94b9e662','compute-6','compute-6','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,12,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(7,1,'0db4c254-fde3-5c13-b3b5-818a3dabd9b7','compute-7','compute-7','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,14,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(8,1,'2a525033-cf3e-5d76-b872-d6ecd7bd2be7','compute-8','compute-8','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,16,1893456000000000,NULL);
INSERT INTO "hosts" VALUES(9,1,'d98d551a-b905-5eff-b344-361cd23230f1','compute-9','compute-9','simulated',1,'{}','nova',32,131072,2000,'ready',1,0,18,1893456000000000,NULL);
CREATE TABLE idempotency_keys (
	project_id VARCHAR(255) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	object_id VARCHAR(36) NOT NULL, 
	answer TEXT, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (project_id, "key")
);
INSERT INTO "idempotency_keys" VALUES('admin','adding','d77591f3068188127b3d18f2afaee5bd4bfcf0a92c0df887970bfb4879fe4a66','host-23',NULL,1893459000000000);
INSERT INTO "idempotency_keys" VALUES('admin','host','5d48057dd9264d0de68bfef2ff9549c41babae86e484870790e754fc9109d7c3','host-1','{"id":"1","hypervisor_hostname":"compute-1","service_name":"compute-1","hypervisor_type":"simulated","hypervisor_version":1,"vcpus":32,"memory_mb":131072,"local_gb":2000,"cpu_info":"{}","availability_zone":"nova","reservable":true,"capabilities":{"gpu":"False","bought":"2029"},"created_at":"2030-01-01T00:00:00Z","updated_at":null}',1893456000000000);
INSERT INTO "idempotency_keys" VALUES('demo','active','e45e543623479b1150848cab1c4f8a02f155975d5faf0c5bfc1f50dfb3ce6a23','44c5b476-3fe3-4d03-87fc-816ac16e2284','{"id":"44c5b476-3fe3-4d03-87fc-816ac16e2284","name":"active both, warned","user_id":"alice","project_id":"demo","start":"2030-01-01T00:02:00Z","end":"2030-01-01T01:30:00Z","status":"PENDING","degraded":false,"status_reason":null,"reservations":[{"id":"ee52bdb6-d102-4a15-99ed-17e3cc0e95ee","resource_id":"f18dd1ee-d77c-46c0-884f-3dd6415af341","resource_type":"physical:host","status":"pending","missing_resources":false,"resources_changed":false,"values":{"min":1,"max":1,"hypervisor_properties":"","resource_properties":"","before_end":"snapshot"},"created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"de3a5db5-154e-4512-9209-3d26ac512b01","resource_id":"c10faa40-03ba-43db-b3f7-ba8e0445d656","resource_type":"virtual:instance","status":"pending","missing_resources":false,"resources_changed":false,"values":{"vcpus":1,"memory_mb":2048,"disk_gb":10,"amount":2,"affinity":false,"resource_properties":"","flavor_id":"de3a5db5-154e-4512-9209-3d26ac512b01","aggregate_id":5,"server_group_id":"a5f09e63-45dd-487d-a81a-a40a2b0b8c12"},"created_at":"2030-01-01T00:02:00Z","updated_at":null}],"events":[{"id":"2f429ce5-9ff3-478f-8c1b-0c3e1c07724e","event_type":"start_lease","time":"2030-01-01T00:02:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"f3b37f32-8702-46c4-8155-d7ef28dd37eb","event_type":"before_end_lease","time":"2030-01-01T00:40:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"2adf559a-11cb-4288-8a50-12dc582c18c9","event_type":"end_lease","time":"2030-01-01T01:30:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null}],"groups_wanted":[],"created_at":"2030-01-01T00:02:00Z","updated_at":"2030-01-01T00:02:00Z","revision":4}',1893456120000000);
INSERT INTO "idempotency_keys" VALUES('demo','creating','67be894be67ba971d3bdd5cd1afa5b3731fc1d7362f51962114b330528edf823','1126d71a-5aec-468f-91db-6acf6c2f5ecc',NULL,1893459360000000);
INSERT INTO "idempotency_keys" VALUES('demo','gone','78e27e502404ffa8a10d1d6875af093fef8c3938527450748caf557c22d8fc87','c1e6415a-95f2-4e55-8fa6-961145f21e94','{"id":"c1e6415a-95f2-4e55-8fa6-961145f21e94","name":"gone before its start","user_id":"alice","project_id":"demo","start":"2030-01-01T06:40:00Z","end":"2030-01-01T08:20:00Z","status":"PENDING","degraded":false,"status_reason":null,"reservations":[{"id":"07e30f11-0562-4748-943e-c25a70536e9b","resource_id":"3e036333-9b0a-4817-b91c-85fda0a59518","resource_type":"physical:host","status":"pending","missing_resources":false,"resources_changed":false,"values":{"min":1,"max":1,"hypervisor_properties":"","resource_properties":"","before_end":"default"},"created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"2c400b95-34e4-4e75-82a9-5d35d5d8575d","resource_id":"335082dc-8ad6-41c4-a5fe-3a1848e772ba","resource_type":"virtual:instance","status":"pending","missing_resources":false,"resources_changed":false,"values":{"vcpus":1,"memory_mb":2048,"disk_gb":10,"amount":2,"affinity":null,"resource_properties":"","flavor_id":"2c400b95-34e4-4e75-82a9-5d35d5d8575d","aggregate_id":34,"server_group_id":null},"created_at":"2030-01-01T00:02:00Z","updated_at":null}],"events":[{"id":"72470add-aefb-42ae-9515-36644039d142","event_type":"start_lease","time":"2030-01-01T06:40:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"5b616e42-8b9d-43d4-ab00-b570f93ee7cc","event_type":"before_end_lease","time":"2030-01-01T07:20:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"dae720b2-cf03-4d21-9c7a-4beeca84ebca","event_type":"end_lease","time":"2030-01-01T08:20:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null}],"groups_wanted":[],"created_at":"2030-01-01T00:02:00Z","updated_at":"2030-01-01T00:02:00Z","revision":3}',1893456120000000);
INSERT INTO "idempotency_keys" VALUES('demo','pending','fcacf064e771600af6abcf3b633f9b490903aa5d5ac18e24e3928ea1264cc734','d87064fc-83da-4265-a24c-4b62591550ff','{"id":"d87064fc-83da-4265-a24c-4b62591550ff","name":"pending both","user_id":"alice","project_id":"demo","start":"2030-01-01T06:40:00Z","end":"2030-01-01T08:20:00Z","status":"PENDING","degraded":false,"status_reason":null,"reservations":[{"id":"6d3fad4c-4027-4546-a7e1-25a42d206ada","resource_id":"b8378d82-91cb-4386-b112-cfd037b5dbac","resource_type":"physical:host","status":"pending","missing_resources":false,"resources_changed":false,"values":{"min":1,"max":1,"hypervisor_properties":"","resource_properties":"","before_end":"default"},"created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"7eba0352-0d58-4a58-8842-c19ac1fbe94c","resource_id":"a310a849-b797-4b28-a4c3-71cfae7fba11","resource_type":"virtual:instance","status":"pending","missing_resources":false,"resources_changed":false,"values":{"vcpus":1,"memory_mb":2048,"disk_gb":10,"amount":2,"affinity":true,"resource_properties":"","flavor_id":"7eba0352-0d58-4a58-8842-c19ac1fbe94c","aggregate_id":31,"server_group_id":"156eab79-e9b1-41f4-bca5-f87b447c999d"},"created_at":"2030-01-01T00:02:00Z","updated_at":null}],"events":[{"id":"fe8b2b79-bada-4947-8b52-30ed2a30363b","event_type":"start_lease","time":"2030-01-01T06:40:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"19de2ded-a0e2-4045-8153-bbc7ced5669f","event_type":"before_end_lease","time":"2030-01-01T07:20:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null},{"id":"1724925f-fb31-4da0-8630-43d70a6be26c","event_type":"end_lease","time":"2030-01-01T08:20:00Z","status":"UNDONE","created_at":"2030-01-01T00:02:00Z","updated_at":null}],"groups_wanted":[],"created_at":"2030-01-01T00:02:00Z","updated_at":"2030-01-01T00:02:00Z","revision":4}',1893456120000000);
CREATE TABLE instance_reservations (
	reservation_id INTEGER NOT NULL, 
	vcpus BIGINT NOT NULL, 
	memory_mb BIGINT NOT NULL, 
	disk_gb BIGINT NOT NULL, 
	amount BIGINT NOT NULL, 
	affinity BOOLEAN, 
	resource_properties TEXT NOT NULL, 
	aggregate_id INTEGER, 
	server_group_id VARCHAR(36), 
	stale_group_id VARCHAR(36), 
	PRIMARY KEY (reservation_id), 
	FOREIGN KEY(reservation_id) REFERENCES reservations (id) ON DELETE CASCADE
);
INSERT INTO "instance_reservations" VALUES(10,1,2048,10,3,NULL,'',11,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(11,2,2048,10,2,0,'',12,'b8a61715-6831-45a8-8551-98c0a1326797','8181e84d-99a7-4924-950d-40ddc2557035');
INSERT INTO "instance_reservations" VALUES(13,1,2048,10,2,NULL,'',14,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(15,1,2048,10,2,NULL,'',16,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(17,1,2048,10,2,1,'',18,'40041e00-1c82-4d9e-b4b3-1bfbf8449560',NULL);
INSERT INTO "instance_reservations" VALUES(19,1,2048,10,2,NULL,'',20,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(2,1,2048,10,2,NULL,'',3,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(21,1,2048,10,2,NULL,'',22,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(23,1,2048,10,2,NULL,'',24,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(24,1,2048,10,2,0,'',25,'2be893f4-56b3-4574-9617-2adf654d479a',NULL);
INSERT INTO "instance_reservations" VALUES(26,1,2048,10,2,1,'',27,'ee1b8cc4-7035-4a27-aba1-a9d3a61a59e3',NULL);
INSERT INTO "instance_reservations" VALUES(28,1,2048,10,2,NULL,'',29,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(30,1,2048,10,2,1,'',31,'156eab79-e9b1-41f4-bca5-f87b447c999d',NULL);
INSERT INTO "instance_reservations" VALUES(31,1,2048,10,1,NULL,'["==", "$gpu", "True"]',32,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(36,1,2048,10,2,1,'',NULL,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(38,1,2048,10,2,1,'',NULL,'94d8cd47-718e-4baf-9442-f362f919cb32',NULL);
INSERT INTO "instance_reservations" VALUES(4,1,2048,10,2,0,'',5,'a5f09e63-45dd-487d-a81a-a40a2b0b8c12',NULL);
INSERT INTO "instance_reservations" VALUES(6,1,2048,10,1,NULL,'["==", "$gpu", "True"]',7,NULL,NULL);
INSERT INTO "instance_reservations" VALUES(9,1,2048,10,2,NULL,'["==", "$gpu", "True"]',10,NULL,NULL);
CREATE TABLE leases (
	id VARCHAR(36) NOT NULL, 
	provider_id INTEGER NOT NULL, 
	name VARCHAR(80) NOT NULL, 
	user_id VARCHAR(255) NOT NULL, 
	project_id VARCHAR(255) NOT NULL, 
	start BIGINT NOT NULL, 
	"end" BIGINT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	degraded BOOLEAN NOT NULL, 
	reason TEXT, 
	owner VARCHAR(36), 
	attempt BIGINT NOT NULL, 
	failures INTEGER NOT NULL, 
	revision BIGINT NOT NULL, 
	look_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(provider_id) REFERENCES providers (id)
);
INSERT INTO "leases" VALUES('0297c0d6-9aff-456c-86ad-0327d0b93207',1,'creating host, cut off','alice','demo',1893459900000000,1893468000000000,'CREATING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',1,0,0,1893459367000000,1893459360000000,NULL);
INSERT INTO "leases" VALUES('0994940e-8245-4cc8-9f7a-7dafb43adc4f',1,'updating both, refused','alice','demo',1893456120000000,1893468000000000,'UPDATING',0,'OpenStack did not answer nova.aggregate.add_host: an injected fault, before the work; OpenStack did not answer nova.flavor.grant: an injected fault, before the work; trying again in 4 s',NULL,4,2,11,1893459604000000,1893456120000000,1893459540000000);
INSERT INTO "leases" VALUES('0c250a03-e023-433d-b64e-433ff7c882f4',1,'active host, warning refused','alice','demo',1893456120000000,1893463200000000,'ACTIVE',0,'OpenStack did not answer nova.server.snapshot: an injected fault, before the work; trying again in 2 s',NULL,3,1,7,1893459602000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('1126d71a-5aec-468f-91db-6acf6c2f5ecc',1,'creating instance, never answered','alice','demo',1893459900000000,1893468000000000,'CREATING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',1,0,0,1893459367000000,1893459360000000,NULL);
INSERT INTO "leases" VALUES('282ee0bc-04a1-4de4-8806-aa81e65150b5',1,'updating instance, cut off','alice','demo',1893456120000000,1893468000000000,'UPDATING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',3,0,6,1893459360000000,1893456120000000,1893459360000000);
INSERT INTO "leases" VALUES('297a21d7-6bc7-4bf5-9638-0ed6fcf7f49d',1,'starting instance, cut off','alice','demo',1893459120000000,1893468000000000,'STARTING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',2,0,3,1893459120000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('3534ccae-8aa6-4235-aee7-af97425375be',1,'terminating host, cut off','alice','demo',1893456120000000,1893459180000000,'TERMINATING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',3,0,6,1893459180000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('3db18a28-ec9f-4fbf-99d9-320e71ef5e7a',1,'pending instance, of another project','bob','other',1893480000000000,1893486000000000,'PENDING',0,NULL,NULL,1,0,2,1893480000000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('4227de21-3023-480c-8bd3-f5e06bc15385',1,'active host, not warned','alice','demo',1893456120000000,1893474000000000,'ACTIVE',0,NULL,NULL,2,0,5,1893470400000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('44c5b476-3fe3-4d03-87fc-816ac16e2284',1,'active both, warned','alice','demo',1893456120000000,1893461400000000,'ACTIVE',0,NULL,NULL,3,0,10,1893461400000000,1893456120000000,1893458400000000);
INSERT INTO "leases" VALUES('6816de06-0a04-4f48-921b-18a91ab1c42f',1,'starting both, refused','alice','demo',1893459540000000,1893468000000000,'STARTING',0,'OpenStack did not answer nova.flavor.grant: an injected fault, before the work; trying again in 4 s',NULL,3,2,9,1893459604000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('6e671698-1e83-4596-b646-9fabf59cd100',1,'pending, of nothing','alice','demo',1893480000000000,1893486000000000,'PENDING',0,NULL,NULL,1,0,0,1893480000000000,1893456120000000,NULL);
INSERT INTO "leases" VALUES('77cab1f9-5e42-43e0-a8a6-217585f049fe',1,'error host, never made','alice','demo',1893459900000000,1893468000000000,'ERROR',1,'OpenStack refused nova.aggregate.create: an injected fault, before the work; its resources are taken back, delete the lease',NULL,4,0,8,1893468000000000,1893459360000000,1893459366000000);
INSERT INTO "leases" VALUES('88534206-fc4a-447e-8498-72c67c081bb7',1,'updating instance, cut off before its start','alice','demo',1893459900000000,1893468000000000,'UPDATING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',2,0,5,1893459360000000,1893456120000000,1893459360000000);
INSERT INTO "leases" VALUES('88c780f6-907f-4669-8ba9-55f3e4096150',1,'starting host, cut off','alice','demo',1893459060000000,1893468000000000,'STARTING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',2,0,3,1893459060000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('8d64b3ad-d957-4b6b-8cb0-5ec1b14b69dc',1,'deleting instance, refused','alice','demo',1893456120000000,1893468000000000,'DELETING',0,'OpenStack did not answer nova.flavor.delete: an injected fault, before the work; trying again in 2 s',NULL,4,1,8,1893459602000000,1893456120000000,1893459600000000);
INSERT INTO "leases" VALUES('906704c3-65d6-4b6e-86e3-db95d4350b28',1,'deleting both, with servers','alice','demo',1893456120000000,1893468000000000,'DELETING',0,'servers to disappear: a2b249ab-4712-4faa-bead-3bed00fdfeae; servers to disappear: bd1296cd-e1b4-4960-b8e7-df9b992149e8',NULL,4,0,14,1893459601000000,1893456120000000,1893459600000000);
INSERT INTO "leases" VALUES('9439c746-d8dd-42ef-8af0-78b051158de5',1,'terminating instance, cut off','alice','demo',1893456120000000,1893459240000000,'TERMINATING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',3,0,6,1893459240000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('9c7d498a-8f76-4c87-9642-74036988f668',1,'deleting host, cut off','alice','demo',1893456120000000,1893468000000000,'DELETING',0,NULL,'effe76e0-68b1-43c9-8454-6026d5a7eb2e',4,0,7,1893459300000000,1893456120000000,1893459300000000);
INSERT INTO "leases" VALUES('ae9c8563-107d-42d5-871c-5cf140a980bd',1,'terminated instance','bob','other',1893456120000000,1893457800000000,'TERMINATED',0,NULL,NULL,3,0,9,NULL,1893456120000000,1893457802000000);
INSERT INTO "leases" VALUES('b9fad67e-4ba9-47c3-acf4-5ccbfb8a99a2',1,'terminating both, with servers','alice','demo',1893456120000000,1893459600000000,'TERMINATING',0,'servers to disappear: 92484194-aef4-459c-bb2b-92c3c87868fa; servers to disappear: eaf5c033-a5cd-45e7-9cf3-d1797e0750ea',NULL,3,0,13,1893459601000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('c79d4440-0821-4b65-b8fe-2f4be91553a9',1,'terminated both','alice','demo',1893456120000000,1893457800000000,'TERMINATED',0,NULL,NULL,3,0,11,NULL,1893456120000000,1893457802000000);
INSERT INTO "leases" VALUES('c9546b43-9f9d-4129-8a44-9ebe89d9bf02',1,'error both, host handed over','alice','demo',1893456060000000,1893492000000000,'ERROR',1,'OpenStack refused nova.flavor.grant: an injected fault, before the work; its resources are taken back, delete the lease',NULL,5,0,15,1893492000000000,1893456000000000,1893456066000000);
INSERT INTO "leases" VALUES('d50e0097-8b71-49cd-ad39-eb43ad9cedde',1,'active instance, not warned','bob','other',1893456120000000,1893474000000000,'ACTIVE',0,NULL,NULL,2,0,5,1893470400000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('d87064fc-83da-4265-a24c-4b62591550ff',1,'pending both','alice','demo',1893480000000000,1893486000000000,'PENDING',0,NULL,NULL,1,0,4,1893480000000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('dbeef77a-dcd6-4029-b805-87f07e465b19',1,'pending both, waits for its host','alice','demo',1893459600000000,1893468000000000,'PENDING',0,'hosts to be let go of by those before: compute-9',NULL,1,0,4,1893459600000000,1893456120000000,1893456120000000);
INSERT INTO "leases" VALUES('ed9140c0-5108-4deb-a710-b0e79f5904a6',1,'creating instance, refused','alice','demo',1893459900000000,1893468000000000,'CREATING',0,'OpenStack did not answer placement.resource_class.ensure: an injected fault, before the work; trying again in 2 s',NULL,1,1,2,1893459602000000,1893459600000000,NULL);
CREATE TABLE managers (
	id VARCHAR(36) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	beat BIGINT NOT NULL, 
	started_at BIGINT NOT NULL, rules INTEGER, rpc_version VARCHAR(16), resource_types TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "managers" VALUES('effe76e0-68b1-43c9-8454-6026d5a7eb2e','controller-1',300,1893459000000000,0,'1.0','["physical:host", "virtual:instance"]');
CREATE TABLE providers (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR(255) NOT NULL, 
	generation BIGINT NOT NULL, 
	purged_generation BIGINT NOT NULL, rules INTEGER DEFAULT '0' NOT NULL, 
	UNIQUE (name)
);
INSERT INTO "providers" VALUES(1,'default',97,0,0);
CREATE TABLE reservation_servers (
	reservation_id INTEGER NOT NULL, 
	server_id VARCHAR(36) NOT NULL, 
	PRIMARY KEY (reservation_id, server_id), 
	FOREIGN KEY(reservation_id) REFERENCES reservations (id) ON DELETE CASCADE
);
INSERT INTO "reservation_servers" VALUES(16,'92484194-aef4-459c-bb2b-92c3c87868fa');
INSERT INTO "reservation_servers" VALUES(17,'eaf5c033-a5cd-45e7-9cf3-d1797e0750ea');
INSERT INTO "reservation_servers" VALUES(25,'a2b249ab-4712-4faa-bead-3bed00fdfeae');
INSERT INTO "reservation_servers" VALUES(26,'bd1296cd-e1b4-4960-b8e7-df9b992149e8');
CREATE TABLE reservation_specs (
	reservation_id INTEGER NOT NULL, 
	spec TEXT NOT NULL, 
	state TEXT NOT NULL, 
	PRIMARY KEY (reservation_id), 
	FOREIGN KEY(reservation_id) REFERENCES reservations (id) ON DELETE CASCADE
);
CREATE TABLE reservations (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	uuid VARCHAR(36) NOT NULL, 
	lease_id VARCHAR(36) NOT NULL, 
	resource_id VARCHAR(36) NOT NULL, 
	resource_type VARCHAR(66) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	missing_resources BOOLEAN NOT NULL, 
	resources_changed BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	FOREIGN KEY(lease_id) REFERENCES leases (id) ON DELETE CASCADE, 
	UNIQUE (uuid)
);
INSERT INTO "reservations" VALUES(1,'5d5f576c-deb8-4c4c-bb29-7d0b0e5e18ba','c9546b43-9f9d-4129-8a44-9ebe89d9bf02','f0e642f4-3328-4d08-8ded-3c9691eb79fa','physical:host','active',0,0,1893456000000000,1893456066000000);
INSERT INTO "reservations" VALUES(10,'04673b75-7ff2-4341-810d-2e304bcb6b22','282ee0bc-04a1-4de4-8806-aa81e65150b5','66fec086-df22-4650-9cb4-71a55349da48','virtual:instance','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(11,'ea190b2a-5806-4a9d-8c31-406deea3d685','88534206-fc4a-447e-8498-72c67c081bb7','88c9da8a-afe6-43f6-9673-0839e1e48557','virtual:instance','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(12,'3c35612e-4a8d-45d8-9d29-6588571ceeee','6816de06-0a04-4f48-921b-18a91ab1c42f','c78fec45-9a9e-494c-b1a9-a658de0f39a7','physical:host','active',0,0,1893456120000000,1893459600000000);
INSERT INTO "reservations" VALUES(13,'7d2186d3-e323-4e54-b711-5c02f44d7e40','6816de06-0a04-4f48-921b-18a91ab1c42f','c52f4fbe-8d19-421f-9478-10d822a608bf','virtual:instance','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(14,'90e32e82-3945-4353-8cde-ce75921ebce6','88c780f6-907f-4669-8ba9-55f3e4096150','5d698c8b-4448-4030-b3c6-68b114ed2049','physical:host','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(15,'ca357568-e293-4bf1-937c-99611d775b7c','297a21d7-6bc7-4bf5-9638-0ed6fcf7f49d','c91752a3-3d58-4cab-b01b-a9880a3efb80','virtual:instance','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(16,'8cda80a3-4b45-4123-917f-6494e8c2d219','b9fad67e-4ba9-47c3-acf4-5ccbfb8a99a2','50806f01-7a1d-456c-b62c-228e40df7c9a','physical:host','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(17,'51423286-a6ec-431f-b526-3b4519a2105c','b9fad67e-4ba9-47c3-acf4-5ccbfb8a99a2','c96fa758-02b0-47f8-86fa-adb10a248cff','virtual:instance','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(18,'de1bf0cd-8afc-4bee-a426-4c9ffade312d','3534ccae-8aa6-4235-aee7-af97425375be','5b177a38-a96d-4b2c-b80b-25d9b02d3504','physical:host','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(19,'f772f8ea-63f6-46e0-ba38-9b09f0d3fa5c','9439c746-d8dd-42ef-8af0-78b051158de5','2fd2f792-53c6-47eb-8a82-66954e896a65','virtual:instance','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(2,'d037cdff-7c24-4d49-a9d4-95dd81355c53','c9546b43-9f9d-4129-8a44-9ebe89d9bf02','0067dba8-5898-4008-aa17-b9af5b569643','virtual:instance','error',0,0,1893456000000000,1893456066000000);
INSERT INTO "reservations" VALUES(20,'449fd49b-1284-4ea1-a6da-a3653e67026c','dbeef77a-dcd6-4029-b805-87f07e465b19','baaad651-1227-432f-9e18-27478d1bc13a','physical:host','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(21,'0289eb06-a2a8-46b4-8581-f255133bb4c2','dbeef77a-dcd6-4029-b805-87f07e465b19','5bf3f74d-cacc-4ec8-802f-c22a4a7347fa','virtual:instance','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(22,'4e3d4d0f-51dd-4d5c-9d94-6658d2511c38','c79d4440-0821-4b65-b8fe-2f4be91553a9','d5ae305b-83ac-4b7e-b596-41d21b5c56d3','physical:host','deleted',0,0,1893456120000000,1893457802000000);
INSERT INTO "reservations" VALUES(23,'20552f5f-4b22-40a4-9a15-a311eb5af9f9','c79d4440-0821-4b65-b8fe-2f4be91553a9','8ba56d34-2445-4ecf-b4ec-f2ede4cd6075','virtual:instance','deleted',0,0,1893456120000000,1893457802000000);
INSERT INTO "reservations" VALUES(24,'0c6e5973-286b-4f29-8999-18a76ec15d38','ae9c8563-107d-42d5-871c-5cf140a980bd','3f4ed95a-aaf3-4c2f-9cb2-84f8b6febc3a','virtual:instance','deleted',0,0,1893456120000000,1893457802000000);
INSERT INTO "reservations" VALUES(25,'f9ef954e-6aab-4b78-aec1-754ca57d041e','906704c3-65d6-4b6e-86e3-db95d4350b28','b11379a2-0ff4-4f65-84d7-59889213147b','physical:host','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(26,'97f2a702-2366-4676-947f-81435add92d1','906704c3-65d6-4b6e-86e3-db95d4350b28','fbb41d14-4255-4a33-a374-75e120087497','virtual:instance','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(27,'afdbe9d2-7ebd-4e05-901f-c6f43d061f79','9c7d498a-8f76-4c87-9642-74036988f668','b67d153d-399d-4b3c-b4df-c9a57a946602','physical:host','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(28,'cadff918-c41a-46d9-82fa-4d7a28d2e08e','8d64b3ad-d957-4b6b-8cb0-5ec1b14b69dc','4c78c7ab-4fd2-4206-b42f-22bae20cea4a','virtual:instance','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(29,'6d3fad4c-4027-4546-a7e1-25a42d206ada','d87064fc-83da-4265-a24c-4b62591550ff','b8378d82-91cb-4386-b112-cfd037b5dbac','physical:host','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(3,'ee52bdb6-d102-4a15-99ed-17e3cc0e95ee','44c5b476-3fe3-4d03-87fc-816ac16e2284','f18dd1ee-d77c-46c0-884f-3dd6415af341','physical:host','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(30,'7eba0352-0d58-4a58-8842-c19ac1fbe94c','d87064fc-83da-4265-a24c-4b62591550ff','a310a849-b797-4b28-a4c3-71cfae7fba11','virtual:instance','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(31,'f78047cf-d788-47cc-9ded-54fdc69806ea','3db18a28-ec9f-4fbf-99d9-320e71ef5e7a','14fe7ebc-b34d-4c74-afc6-ee6fa8e33c94','virtual:instance','pending',0,0,1893456120000000,NULL);
INSERT INTO "reservations" VALUES(35,'452fac9a-c850-420a-a5b6-99ecefe6f675','0297c0d6-9aff-456c-86ad-0327d0b93207','12cb2f3f-c47a-4dc9-ad9b-4f22d8a50636','physical:host','pending',0,0,1893459360000000,NULL);
INSERT INTO "reservations" VALUES(36,'45547d9d-0b9e-4d4d-82a4-c12e779409b9','1126d71a-5aec-468f-91db-6acf6c2f5ecc','9733ef95-bea7-4879-993f-d24d82a1c54c','virtual:instance','pending',0,0,1893459360000000,NULL);
INSERT INTO "reservations" VALUES(37,'118cc43e-44e1-4856-957d-728ce2d28da8','77cab1f9-5e42-43e0-a8a6-217585f049fe','e90c0722-d4a7-4958-b2fe-7205132ba600','physical:host','error',0,0,1893459360000000,1893459366000000);
INSERT INTO "reservations" VALUES(38,'a92cd2de-d802-4b08-be85-b0a9b4e9a806','ed9140c0-5108-4deb-a710-b0e79f5904a6','de518343-e63e-43d6-9a0d-bc7807d11b6b','virtual:instance','pending',0,0,1893459600000000,NULL);
INSERT INTO "reservations" VALUES(4,'de3a5db5-154e-4512-9209-3d26ac512b01','44c5b476-3fe3-4d03-87fc-816ac16e2284','c10faa40-03ba-43db-b3f7-ba8e0445d656','virtual:instance','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(5,'1d3b993f-7949-4eab-bf1a-355e526eb523','4227de21-3023-480c-8bd3-f5e06bc15385','57e54acc-62f5-480c-8fdf-8e1a060cea63','physical:host','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(6,'f5bb9188-b805-49e9-890b-20bb257e8454','d50e0097-8b71-49cd-ad39-eb43ad9cedde','819d7ca7-b461-48cc-b217-54ef2904acec','virtual:instance','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(7,'6d21f4cd-a185-4c8e-a8ea-37f7523d2a54','0c250a03-e023-433d-b64e-433ff7c882f4','202cc828-4c71-4095-bcc9-9ae80f0c8a89','physical:host','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(8,'973082d6-09b4-45d2-99bc-1d97e0f3a7ef','0994940e-8245-4cc8-9f7a-7dafb43adc4f','e69bae29-f652-4008-b7b4-000bd1c51f86','physical:host','active',0,0,1893456120000000,1893456120000000);
INSERT INTO "reservations" VALUES(9,'d3f21dcc-2be8-4b46-b5fa-6dd891fde85c','0994940e-8245-4cc8-9f7a-7dafb43adc4f','c7af3626-f949-4568-9eb0-e066de26e655','virtual:instance','active',0,0,1893456120000000,1893456120000000);
CREATE TABLE resource_properties (
	id VARCHAR(36) NOT NULL, 
	resource_type VARCHAR(66) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	private BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (resource_type, name)
);
INSERT INTO "resource_properties" VALUES('0326324d-fb69-4ffb-ba18-90c78092b4d4','physical:host','rack',0,1893456000000000,NULL);
INSERT INTO "resource_properties" VALUES('35bf992d-c9e9-4616-a12e-7696a6cecc1b','physical:host','gpu',0,1893456000000000,NULL);
INSERT INTO "resource_properties" VALUES('e4b06ce6-0741-47a8-bce4-2c8218072e8c','physical:host','bought',1,1893456000000000,1893456000000000);
CREATE INDEX departed_by_age ON departed_reservations (removed_at);
CREATE INDEX idempotency_of_object ON idempotency_keys (object_id);
CREATE INDEX bookings_changed ON bookings (provider_id, generation);
CREATE INDEX bookings_of_host ON bookings (host_id, "end");
CREATE INDEX bookings_of_reservation ON bookings (reservation_id);
CREATE INDEX hosts_changed ON hosts (provider_id, generation);
CREATE INDEX leases_due ON leases (look_at);
CREATE INDEX leases_of_project ON leases (project_id, created_at);
CREATE INDEX leases_owned ON leases (owner);
CREATE INDEX reservations_of_lease ON reservations (lease_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('bookings',46);
INSERT INTO "sqlite_sequence" VALUES('bundles',2);
INSERT INTO "sqlite_sequence" VALUES('hosts',23);
INSERT INTO "sqlite_sequence" VALUES('providers',1);
INSERT INTO "sqlite_sequence" VALUES('reservations',38);
COMMIT;
