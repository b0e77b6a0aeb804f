import { graphql } from "relay-runtime";

export const mutation = graphql`
  mutation CreatePaymentMutation($input: CreatePaymentInput!, $connections: [ID!]!) {
    createPayment(input: $input) {
      payment @appendNode(connections: $connections, edgeTypeName: "PaymentEdge") {
        ...PaymentList_payment
        nextAction {
          kind
          redirectUrl
        }
      }
      operation {
        id
        replayed
      }
      errors {
        __typename
        code
        retry
        ... on DeclinedError {
          decline {
            customerMessage
          }
        }
      }
    }
  }
`;
